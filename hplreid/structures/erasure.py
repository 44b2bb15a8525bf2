"""A rectangle of an image that is erased once the image has been normalized."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Erasure:
    """A rectangle that random erasing drew for one image.

    Attributes:
        top: First row of the rectangle.
        left: First column.
        height: Rows.
        width: Columns.
        fill: Color in normalized units, RGB; None: noise, every value from N(0, 1).
        seed: What the noise follows from.
    """

    top: int
    left: int
    height: int
    width: int
    fill: tuple[float, float, float] | None
    seed: int = 0

"""A rectangle of a picture that is erased once the picture has been normalised."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Erasure:
    """What random erasing has drawn for one picture.

    Attributes:
        top: First row of the rectangle.
        left: First column.
        height: Rows.
        width: Columns.
        fill: Colour in normalised units, RGB; None: noise, every value from N(0, 1).
        seed: What the noise follows from.
    """

    top: int
    left: int
    height: int
    width: int
    fill: tuple[float, float, float] | None
    seed: int = 0

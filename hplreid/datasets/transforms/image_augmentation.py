"""Random changes of an image: flip, shift, erase."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from hplreid.registry import TRANSFORMS
from hplreid.structures import Erasure

from ..items import Item
from .image_transform import ImageTransform, check_not_erased, check_probability

FILLS = {
    'clip_mean': (0.48145466, 0.4578275, 0.40821073),
    'zero': (0.0, 0.0, 0.0),
    'pixel': None,
}
"""Fills of :class:`RandomErasing` by name, in normalized units; None is noise."""

_ATTEMPTS = 10


@TRANSFORMS.register_module()
class RandomFlip(ImageTransform):
    """Mirror an image, left to right.

    Args:
        prob: How often.
    """

    def __init__(self, prob: float = 0.5) -> None:
        self.prob = check_probability(prob, 'prob')

    def transform(self, image: Tensor) -> Tensor:
        """See :class:`ImageTransform`."""
        # As a number: comparing tensors takes longer than mirroring
        return image.flip(-1) if torch.rand(1).item() < self.prob else image


@TRANSFORMS.register_module()
class PadRandomCrop(ImageTransform):
    """Add a black border and cut out the former size at a random place.

    Args:
        padding: Width of the border in pixels.

    Raises:
        ValueError: ``padding`` is negative.
    """

    def __init__(self, padding: int = 10) -> None:
        if padding < 0:
            raise ValueError(f'padding must not be negative, got {padding}.')
        self.padding = padding

    def transform(self, image: Tensor) -> Tensor:
        """See :class:`ImageTransform`."""
        height, width = image.shape[-2:]
        down = int(torch.randint(2 * self.padding + 1, (1,))) - self.padding
        right = int(torch.randint(2 * self.padding + 1, (1,))) - self.padding
        rows, new_rows = _overlap(height, down)
        columns, new_columns = _overlap(width, right)
        # NumPy copies such a part in half of torch's time
        moved = np.zeros(image.shape, np.uint8)
        moved[:, new_rows, new_columns] = image.numpy()[:, rows, columns]
        return torch.from_numpy(moved)


def _overlap(length: int, shift: int) -> tuple[slice, slice]:
    """Return what stays of a side that is moved back by ``shift``, before and after."""
    start = max(shift, 0)
    stop = max(length + min(shift, 0), start)
    return slice(start, stop), slice(start - shift, stop - shift)


@TRANSFORMS.register_module()
class RandomErasing:
    """Choose a rectangle that the data preprocessor erases from the image.

    Random Erasing Data Augmentation (https://arxiv.org/abs/1708.04896).

    The published recipes erase after they have normalized, with values that no pixel of
    8 bits has. So the image stays as it is, and what travels with it is the rectangle
    and a color or a seed (:class:`Erasure`): :class:`ReIDDataPreprocessor` normalizes,
    then fills. Nothing that moves the image may come after this step.

    * IRRA: the defaults (torchvision's). It fills in the numbers of CLIP's *mean* as if
      pixels still went from 0 to 1, which is a light gray and not the mean color.
    * CLIP-ReID, TransReID: ``fill='pixel', area=(0.02, 1 / 3), ratio=(0.3, 10 / 3)``
      (timm's).

    Args:
        prob: How often.
        area: Least and largest part of the image.
        ratio: Least and largest height over width; drawn evenly on a log scale.
        fill: ``'clip_mean'`` as described; ``'zero'``, which is the mean color;
            ``'pixel'``, noise from N(0, 1) for every channel of every pixel; or a
            color. All in normalized units, RGB.

    Raises:
        ValueError: A range is empty, or not positive, or there is no such fill.
    """

    def __init__(
        self,
        prob: float = 0.5,
        area: tuple[float, float] = (0.02, 0.4),
        ratio: tuple[float, float] = (0.3, 3.3),
        fill: str | Sequence[float] = 'clip_mean',
    ) -> None:
        self.prob = check_probability(prob, 'prob')
        if not 0 < area[0] <= area[1] <= 1:
            raise ValueError(f'area must be a range within 0 and 1, got {area}.')
        if not 0 < ratio[0] <= ratio[1]:
            raise ValueError(f'ratio must be a positive range, got {ratio}.')
        self.area, self.ratio = tuple(area), tuple(ratio)
        self.fill = _read_fill(fill)

    def __call__(self, item: Item) -> Item:
        """Set ``erasure``, an :class:`Erasure` or None, if the item has an image.

        Raises:
            ValueError: Another step has set it before.
        """
        image = item.get('image')
        if image is not None:
            check_not_erased(item, type(self).__name__)
            item['erasure'] = self._draw(*image.shape[-2:])
        return item

    def _draw(self, height: int, width: int) -> Erasure | None:
        if torch.rand(1) >= self.prob:
            return None
        box = draw_box(height, width, self.area, self.ratio)
        if box is None:
            return None
        seed = int(torch.randint(2**62, (1,))) if self.fill is None else 0
        return Erasure(*box, self.fill, seed)


def _read_fill(fill: str | Sequence[float]) -> tuple[float, float, float] | None:
    if isinstance(fill, str) and fill in FILLS:
        return FILLS[fill]
    if isinstance(fill, str) or len(fill) != 3:
        raise ValueError(
            f'fill must be one of {[*FILLS]} or a color (red, green, blue) in '
            f'normalized units, got {fill!r}.'
        )
    red, green, blue = map(float, fill)
    return red, green, blue


def draw_box(
    height: int, width: int, area: tuple[float, ...], ratio: tuple[float, ...]
) -> tuple[int, int, int, int] | None:
    """Draw a rectangle that fits into an image.

    Args:
        height: Height of the image.
        width: Its width.
        area: Least and largest part of it.
        ratio: Least and largest height over width.

    Returns:
        Top, left, height and width; None if none of ten fits.
    """
    for _ in range(_ATTEMPTS):
        size = height * width * float(torch.empty(1).uniform_(*area))
        logs = math.log(ratio[0]), math.log(ratio[1])
        aspect = math.exp(float(torch.empty(1).uniform_(*logs)))
        h, w = round(math.sqrt(size * aspect)), round(math.sqrt(size / aspect))
        if h < height and w < width:
            top = int(torch.randint(height - h + 1, (1,)))
            left = int(torch.randint(width - w + 1, (1,)))
            return top, left, h, w
    return None

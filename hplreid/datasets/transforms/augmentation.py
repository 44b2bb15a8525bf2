"""Random changes of a picture: flip, shift, erase."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from hplreid.registry import TRANSFORMS

from .base import ImageTransform, check_probability

CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)
"""Pixel statistics that CLIP normalises with, RGB, for pixels from 0 to 1."""

_ATTEMPTS = 10


@TRANSFORMS.register_module()
class RandomFlip(ImageTransform):
    """Mirror a picture, left to right.

    Args:
        prob: How often.
    """

    def __init__(self, prob: float = 0.5) -> None:
        self.prob = check_probability(prob, 'prob')

    def transform(self, image: Tensor) -> Tensor:
        """See :class:`ImageTransform`."""
        return image.flip(-1) if torch.rand(1) < self.prob else image


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
        padded = F.pad(image, [self.padding] * 4)
        top = int(torch.randint(2 * self.padding + 1, (1,)))
        left = int(torch.randint(2 * self.padding + 1, (1,)))
        return padded[:, top : top + height, left : left + width]


@TRANSFORMS.register_module()
class RandomErasing(ImageTransform):
    """Fill a random rectangle with one colour.

    Random Erasing Data Augmentation (https://arxiv.org/abs/1708.04896).

    The colour is given in normalised units, as if the picture had been normalised
    already (it's done later, on the device). So IRRA's setting reads as in its code:
    there the numbers of CLIP's *mean* are filled into pictures that were already
    normalised, which is a light grey, not the mean colour. Here it's rounded to the
    nearest of 256 values.

    Args:
        prob: How often.
        area: Least and largest part of the picture.
        ratio: Least and largest height over width; drawn evenly on a log scale.
        fill: Colour in normalised units, RGB; 0 is the mean colour.
        mean: Mean that normalises, for pixels from 0 to 1.
        std: Standard deviation that normalises.

    Raises:
        ValueError: A range is empty, or not positive.
    """

    def __init__(
        self,
        prob: float = 0.5,
        area: tuple[float, float] = (0.02, 0.4),
        ratio: tuple[float, float] = (0.3, 3.3),
        fill: Sequence[float] = CLIP_MEAN,
        mean: Sequence[float] = CLIP_MEAN,
        std: Sequence[float] = CLIP_STD,
    ) -> None:
        self.prob = check_probability(prob, 'prob')
        if not 0 < area[0] <= area[1] <= 1:
            raise ValueError(f'area must be a range within 0 and 1, got {area}.')
        if not 0 < ratio[0] <= ratio[1]:
            raise ValueError(f'ratio must be a positive range, got {ratio}.')
        self.area, self.ratio = tuple(area), tuple(ratio)
        pixels = torch.tensor(fill) * torch.tensor(std) + torch.tensor(mean)
        self.colour = (pixels * 255).round().clamp(0, 255).to(torch.uint8)

    def transform(self, image: Tensor) -> Tensor:
        """See :class:`ImageTransform`."""
        if torch.rand(1) >= self.prob:
            return image
        box = draw_box(image.shape[-2], image.shape[-1], self.area, self.ratio)
        if box is None:
            return image
        top, left, height, width = box
        erased = image.clone()
        erased[:, top : top + height, left : left + width] = self.colour[:, None, None]
        return erased


def draw_box(
    height: int, width: int, area: tuple[float, ...], ratio: tuple[float, ...]
) -> tuple[int, int, int, int] | None:
    """Draw a rectangle that fits into a picture.

    Args:
        height: Height of the picture.
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

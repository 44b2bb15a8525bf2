"""From a file to a picture of a fixed size."""

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from hplreid.registry import TRANSFORMS

from ..images import read_image
from ..items import Item


@TRANSFORMS.register_module()
class LoadImage:
    """Read the picture of an item, as a PIL image in RGB; captions pass through.

    JPEG files are decoded in full: the quicker decoding at a reduced size that libjpeg
    offers gives other pixels.
    """

    def __call__(self, item: Item) -> Item:
        """Set ``image``.

        Raises:
            FileNotFoundError: The file isn't there.
            UnreadableImageError: It can't be decoded.
        """
        if item['img_path'] is not None:
            item['image'] = read_image(item['img_path'])
        return item


@TRANSFORMS.register_module()
class ResizeImage:
    """Bring a picture to a size, and from PIL to a tensor, uint8 ``(3, H, W)``.

    Args:
        size: Height and width.
        interpolation: ``'bilinear'`` or ``'bicubic'``, both over the whole area of the
            pixels that become one (no aliasing).

    Raises:
        ValueError: An argument isn't usable.
    """

    def __init__(
        self, size: tuple[int, int] = (384, 128), interpolation: str = 'bilinear'
    ) -> None:
        if len(size) != 2 or min(size) < 1:
            raise ValueError(f'size must be (height, width) in pixels, got {size}.')
        if interpolation not in ('bilinear', 'bicubic'):
            raise ValueError(
                f"interpolation must be 'bilinear' or 'bicubic', got {interpolation!r}."
            )
        self.size = tuple(size)
        self.interpolation = Image.Resampling[interpolation.upper()]

    def __call__(self, item: Item) -> Item:
        """Resize ``image``."""
        if item.get('image') is not None:
            height, width = self.size
            resized = item['image'].resize((width, height), self.interpolation)
            item['image'] = to_tensor(resized)
        return item


def to_tensor(image: Image.Image) -> Tensor:
    """Turn a picture into a tensor, uint8 ``(3, H, W)``, RGB."""
    pixels = np.array(image.convert('RGB'))
    return torch.from_numpy(pixels).permute(2, 0, 1).contiguous()

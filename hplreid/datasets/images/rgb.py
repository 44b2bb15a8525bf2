"""From what Pillow has opened to RGB of 8 bits, upright: what a viewer would show."""

import re
from contextlib import suppress
from typing import NamedTuple

import numpy as np
from PIL import ExifTags, Image, ImageOps

_UPRIGHT = 1
_DEEP = re.compile(r'I;16[LBN]?')
_HAVE_ALPHA = ('RGBA', 'LA', 'PA', 'RGBa', 'La')
_PAPER = 'white'


class ValueRangeError(ValueError):
    """The pixels of an image have values whose black and white nobody knows."""


class Upright(NamedTuple):
    """An image in RGB, and how its file has it.

    Attributes:
        image: RGB, 8 bits, turned and mirrored as the file asks for.
        mode: Pillow's color mode of the file: ``'RGB'``, ``'I;16'``, ``'CMYK'``, ...
        orientation: Of EXIF, 1 to 8; 1 is upright.
        is_transparent: Whether some pixels are not opaque.
    """

    image: Image.Image
    mode: str
    orientation: int
    is_transparent: bool


def to_rgb(image: Image.Image) -> Upright:
    """Convert an image to RGB of 8 bits, upright.

    * 16 bits of gray keep their upper 8, as Pillow does with 16 bits of color.
    * What is transparent is laid on white, as viewers do: the color of a transparent
      pixel means nothing.
    * The orientation of EXIF is obeyed.
    * CMYK, palettes, gray and bits are converted by Pillow. Of several frames the
      current one is taken, in a file the first.

    Args:
        image: From a file, or made in memory. An opaque, upright RGB image is returned
            itself, not copied.

    Raises:
        ValueRangeError: Its values are floats, or integers of 32 bits.

    Example:
        >>> gray = Image.fromarray(np.array([[0, 257 * 90, 65535]], dtype=np.uint16))
        >>> np.array(to_rgb(gray).image)[0, :, 0].tolist()
        [0, 90, 255]
    """
    is_png = image.format == 'PNG'
    orientation = find_orientation(image)  # while loading, Pillow turns TIFF files
    image.load()
    if find_orientation(image) != _UPRIGHT:
        image = ImageOps.exif_transpose(image)
    mode, opaque = image.mode, True
    if mode != 'RGB' or 'transparency' in image.info:
        image, opaque = _convert(image, is_png)
    return Upright(image, mode, orientation, not opaque)


def find_orientation(image: Image.Image) -> int:
    """Return the orientation that EXIF gives an image, 1 to 8; 1 if it doesn't say."""
    orientation: object = None
    with suppress(Exception):  # of damaged EXIF, on an image that may be sound
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    known = isinstance(orientation, int) and orientation in range(1, 9)
    return int(orientation) if known else _UPRIGHT  # type: ignore[call-overload]


def _convert(image: Image.Image, is_png: bool) -> tuple[Image.Image, bool]:
    """Convert an image to RGB; also return whether it's opaque."""
    mode = image.mode
    # Before version 11 Pillow had the 16 bits of a PNG in 32
    if _DEEP.fullmatch(mode) or (mode == 'I' and is_png):
        upper = np.asarray(image) >> 8
        return Image.fromarray(upper.astype(np.uint8)).convert('RGB'), True
    if mode in ('F', 'I'):
        kind = 'floats' if mode == 'F' else 'integers of 32 bits'
        raise ValueRangeError(
            f'its values are {kind}, of which nobody knows what is black and what is '
            'white: save it with 8 bits (or 16) a channel'
        )
    if mode in _HAVE_ALPHA or 'transparency' in image.info:
        layers = image.convert('RGBA')
        if layers.getchannel('A').getextrema() != (255, 255):
            paper = Image.new('RGBA', layers.size, _PAPER)
            return Image.alpha_composite(paper, layers).convert('RGB'), False
    return image.convert('RGB'), True

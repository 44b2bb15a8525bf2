"""Fast decoding of image files to exactly Pillow's pixels.

As wheels, Pillow and OpenCV decode JPEG files with the same library, libjpeg-turbo.
Pillow spends a third of its time on other things.
"""

import io
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .image_files import decode_image
from .rgb import find_orientation

_START = b'\xff\xd8\xff'
_NOT_FRAMES = (0xC4, 0xC8, 0xCC)  # markers among those of frames that mean other things
_NOTES = 0xE1  # the marker of EXIF and XMP


def decode_pixels(data: bytes, path: str) -> Tensor:
    """Decode the bytes of an image file completely.

    Args:
        data: The bytes. Upright JPEG files in colors are quick; what is turned, gray or
            CMYK, other formats and what is damaged are left to :func:`.decode_image`.
            (Files that are damaged only after their last pixel, which Pillow refuses,
            may pass.)
        path: Where they come from, for the message.

    Returns:
        uint8 ``(3, H, W)``, RGB, upright; in memory the three values of a pixel lie
        together.

    Raises:
        UnreadableImageError: They aren't an image, end too soon, or have values that
            can't be scaled.
    """
    lines = None
    header = _read_header(data)
    if header is not None and header.is_plain(data) and decodes_like_pillow():
        lines = _decode_colors(data)
    if lines is None:
        lines = np.array(decode_image(data, path))
    return torch.from_numpy(lines).permute(2, 0, 1)


def count_components(data: bytes) -> int:
    """Return the components of a pixel in a JPEG file (3: in colors); 0 if unknown."""
    header = _read_header(data)
    return 0 if header is None else header.components


class _Header(NamedTuple):
    """What a JPEG file says before its pixels.

    Attributes:
        height: Pixels.
        width: Pixels.
        components: Values of a pixel.
        has_notes: Whether there is EXIF or XMP, which may ask to turn the image.
    """

    height: int
    width: int
    components: int
    has_notes: bool

    def is_plain(self, data: bytes) -> bool:
        """Whether it's in colors, upright, and not of a size that Pillow warns of.

        A damaged header would make OpenCV ask for gigabytes.
        """
        most = Image.MAX_IMAGE_PIXELS
        huge = most is not None and self.height * self.width > most
        return self.components == 3 and not huge and not self._is_turned(data)

    def _is_turned(self, data: bytes) -> bool:
        if not self.has_notes:
            return False
        try:
            with Image.open(io.BytesIO(data)) as image:
                return find_orientation(image) != 1
        except Exception:  # of a damaged file, on which Pillow has the last word
            return True


def _read_header(data: bytes) -> _Header | None:
    """Read what a JPEG file says before its pixels; None if it isn't one."""
    if not data.startswith(_START):
        return None
    at, has_notes = len(_START) - 1, False
    while at + 9 < len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in _NOT_FRAMES:
            height, width = data[at + 5 : at + 7], data[at + 7 : at + 9]
            sides = int.from_bytes(height, 'big'), int.from_bytes(width, 'big')
            return _Header(*sides, data[at + 9], has_notes)
        has_notes |= marker == _NOTES
        at += 2 + int.from_bytes(data[at + 2 : at + 4], 'big')
    return None


def _decode_colors(data: bytes) -> np.ndarray | None:
    """Decode a JPEG file with OpenCV, ``(H, W, 3)``; None if it is damaged."""
    flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:  # too large for it, say
        return None


@lru_cache
def decodes_like_pillow() -> bool:
    """Whether OpenCV gives Pillow's pixels, tried once a process on three files.

    It may not where the two were built with different libraries. Then Pillow decodes
    everything.
    """
    noise = np.random.default_rng(0).integers(256, size=(45, 67, 3), dtype=np.uint8)
    image = Image.fromarray(noise).resize((133, 91), Image.Resampling.BICUBIC)
    for options in ({'subsampling': 0}, {'subsampling': 2}, {'progressive': True}):
        file = io.BytesIO()
        image.save(file, 'JPEG', quality=85, **options)
        found = _decode_colors(file.getvalue())
        if found is None or not np.array_equal(found, np.array(Image.open(file))):
            return False
    return True

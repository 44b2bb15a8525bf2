"""Fast decoding of image files to exactly Pillow's pixels.

As wheels, Pillow and OpenCV decode JPEG files with the same library, libjpeg-turbo.
Pillow spends a third of its time on other things.
"""

import io
from functools import lru_cache

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .image_files import decode_image

_START = b'\xff\xd8\xff'
_NOT_FRAMES = (0xC4, 0xC8, 0xCC)  # markers among those of frames that mean other things


def decode_pixels(data: bytes, path: str) -> Tensor:
    """Decode the bytes of an image file completely.

    Args:
        data: The bytes. JPEG files in colors are quick; what is gray or CMYK, other
            formats and what is damaged are left to Pillow. (Files that are damaged only
            after their last pixel, which Pillow refuses, may pass.)
        path: Where they come from, for the message.

    Returns:
        uint8 ``(3, H, W)``, RGB; in memory the three values of a pixel lie together.

    Raises:
        UnreadableImageError: They aren't an image, or end too soon.
    """
    lines = None
    if count_components(data) == 3 and not _is_huge(data) and decodes_like_pillow():
        lines = _decode_colors(data)
    if lines is None:
        lines = np.array(decode_image(data, path))
    return torch.from_numpy(lines).permute(2, 0, 1)


def count_components(data: bytes) -> int:
    """Return the components of a pixel in a JPEG file (3: in colors); 0 if unknown."""
    at = _find_frame(data)
    return 0 if at is None else data[at + 9]


def _is_huge(data: bytes) -> bool:
    """Return whether a JPEG file claims a size that Pillow warns of or refuses.

    A damaged header would make OpenCV ask for gigabytes.
    """
    at, most = _find_frame(data), Image.MAX_IMAGE_PIXELS
    if at is None or most is None:
        return False
    height, width = data[at + 5 : at + 7], data[at + 7 : at + 9]
    return int.from_bytes(height, 'big') * int.from_bytes(width, 'big') > most


def _find_frame(data: bytes) -> int | None:
    """Return where the header of a JPEG file's frame begins; None if it has none."""
    if not data.startswith(_START):
        return None
    at = len(_START) - 1
    while at + 9 < len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in _NOT_FRAMES:
            return at
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

"""Resizing with exactly Pillow's pixels, in about half the time.

Pillow resizes in two passes. Each sums 8-bit pixels times weights in fixed point of 22
bits, then rounds to 8 bits again. Sums of whole numbers don't depend on how they are
computed, so here a pass is the product of a sparse matrix of weights and the image in
int32. The weights aren't worked out anew: Pillow is asked for its own, by resizing a
matrix of ones on the diagonal.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import PIL
import scipy  # whose parts are loaded when they are used
import torch
from PIL import Image
from torch import Tensor

_BITS = 22
_LARGEST = 1024
"""Pixels of a side up to which an image isn't left to Pillow: above, the 4 bytes that
each value takes here cost more than they gain."""
_KNOWN_VERSIONS = range(10, 14)
"""Major versions of Pillow whose order of passes is known."""
_VERSION = int(PIL.__version__.partition('.')[0])


def resize(image: Tensor, size: tuple[int, int], method: Image.Resampling) -> Tensor:
    """Resize an image; the pixels are those of Pillow.

    Args:
        image: uint8 ``(3, H, W)``; quickest if the values of a pixel lie together. What
            is larger than 1024 pixels is left to Pillow; so is all if its version is
            one that this wasn't checked with.
        size: Height and width.
        method: Bilinear or bicubic.

    Returns:
        uint8 ``(3, H, W)``.
    """
    (_, height, width), (new_height, new_width) = image.shape, size
    lines = np.ascontiguousarray(image.permute(1, 2, 0).numpy())
    if not _is_known(height, width, *size):
        resized = Image.fromarray(lines).resize((new_width, new_height), method)
        return to_tensor(resized)
    rows = _weights(height, new_height, method)
    columns = _weights(width, new_width, method)
    pixels = lines.reshape(height, width * 3)
    if _rows_first(height, width, *size):
        tall = _transpose(_pass(rows, pixels))
        flat = _pass(columns, tall.reshape(width, 3 * new_height))
        planes = _transpose(flat)
    else:
        wide = _pass(columns, _transpose(pixels).reshape(width, 3 * height))
        by_row = _transpose(wide).reshape(3, height, new_width).swapaxes(0, 1)
        flat = _pass(rows, by_row.reshape(height, 3 * new_width))
        planes = flat.reshape(new_height, 3, new_width).swapaxes(0, 1)
    planes = np.ascontiguousarray(planes.reshape(3, new_height, new_width))
    return torch.from_numpy(planes)


def _is_known(height: int, width: int, new_height: int, new_width: int) -> bool:
    """Whether what Pillow does with these sizes is known, and worth doing here."""
    sliver = height > 100 * width  # a case of its own in Pillow 12.2
    largest = max(height, width, new_height, new_width)
    return _VERSION in _KNOWN_VERSIONS and largest <= _LARGEST and not sliver


def _rows_first(height: int, width: int, new_height: int, new_width: int) -> bool:
    """Whether Pillow shrinks the height before it changes the width.

    Version 13 does where that leaves less to do (Pillow's pull request 9549); before,
    it never did. Rounding in between makes other pixels of it.
    """
    cut = height - new_height
    return _VERSION >= 13 and cut > max(0, 2 * (width - new_width))


def to_tensor(image: Image.Image) -> Tensor:
    """Turn an image into a tensor, uint8 ``(3, H, W)``, RGB."""
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous()


@lru_cache(maxsize=2048)
def _weights(old: int, new: int, method: Image.Resampling) -> scipy.sparse.csr_array:
    """Return Pillow's weights of ``old`` pixels in each of ``new``, times 2**22."""
    ones = Image.fromarray(np.eye(old, dtype=np.int32) << _BITS)
    return scipy.sparse.csr_array(np.asarray(ones.resize((new, old), method)).T)


def _pass(weights: scipy.sparse.csr_array, pixels: np.ndarray) -> np.ndarray:
    """Sum pixels ``(old, N)`` to ``(new, N)``, both uint8; half is rounded up."""
    sums = weights @ pixels.astype(np.int32)
    sums += 1 << (_BITS - 1)
    sums >>= _BITS
    return np.clip(sums, 0, 255, out=sums).astype(np.uint8)


def _transpose(pixels: np.ndarray) -> np.ndarray:
    return cv2.transpose(pixels)  # many times as quick as NumPy, for bytes

"""Sheets of a camera's images: a row per identity."""

import os
from collections.abc import Mapping, Sequence

from PIL import Image

from hplreid.datasets.images.image_files import read_image

from .sample_sheet import SheetSample, draw_sample_sheet

_CELL = (256, 256)  # largest width and height of an image, pixels


def draw_camera_sheet(title: str, people: Mapping[int, Sequence[str]]) -> Image.Image:
    """Draw images of some identities, those of each with borders of one color.

    Args:
        title: First line.
        people: Paths of the images of each identity.

    Returns:
        The drawing, RGB.

    Raises:
        ValueError: There is nothing to draw.
        MissingDataError: An image is missing.
        UnreadableImageError: One can't be decoded.
    """
    parts = [
        (f'Identity {pid}', [_sample(path, pid) for path in paths])
        for pid, paths in people.items()
    ]
    return draw_sample_sheet(parts, [title])


def _sample(path: str, pid: int) -> SheetSample:
    image = read_image(path)
    size = f'{image.width} x {image.height}'
    image.thumbnail(_CELL)
    return SheetSample(image, None, (os.path.basename(path), size), pid)

"""Reading picture files."""

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from PIL import Image

from .errors import UnreadableImageError, listing


def read_image(path: str) -> Image.Image:
    """Decode a picture file completely, as RGB.

    Raises:
        FileNotFoundError: There is no such file.
        UnreadableImageError: The file isn't a picture, or is cut short.
    """
    try:
        with Image.open(path) as image:
            return image.convert('RGB')
    except FileNotFoundError:
        raise FileNotFoundError(
            f"Picture '{path}' does not exist. It was there when the data set was "
            'listed, or its annotation names a wrong file.'
        ) from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UnreadableImageError(
            f"Picture '{path}' can't be decoded ({os.path.getsize(path):,} bytes: "
            f'{error}). Expected a complete JPEG or PNG file: copy it anew from the '
            'data set.'
        ) from error


def verify_images(paths: Iterable[str]) -> None:
    """Decode every picture, in parallel, and name all that fail.

    Raises:
        UnreadableImageError: Pictures are missing or can't be decoded.
    """

    def failure(path: str) -> str | None:
        try:
            read_image(path)
        except (FileNotFoundError, UnreadableImageError):
            return path
        return None

    unique = sorted(set(paths))
    with ThreadPoolExecutor() as pool:
        bad = [path for path in pool.map(failure, unique) if path is not None]
    if bad:
        raise UnreadableImageError(
            f'{len(bad):,} of {len(unique):,} pictures are unreadable: '
            f'{listing(bad, 50)}. Copy them anew from the data set.'
        )

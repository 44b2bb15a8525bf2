"""Inspecting image files in parallel: faults, hash, size and color mode."""

import hashlib
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, UnidentifiedImageError
from tqdm import tqdm

from ..images.rgb import ValueRangeError, to_rgb


@dataclass(frozen=True)
class FileFacts:
    """The facts about an image file.

    Attributes:
        fault: Why it can't be used, one of :data:`FAULTS`; None if it can.
        digest: Hash of its bytes; None if it has a fault or wasn't decoded.
        size: Width and height in pixels, upright; None as above.
        mode: Pillow's color mode; None as above.
        orientation: Of EXIF, 1 to 8; 1 is upright.
        is_transparent: Whether some pixels are not opaque.
    """

    fault: str | None = None
    digest: bytes | None = None
    size: tuple[int, int] | None = None
    mode: str | None = None
    orientation: int = 1
    is_transparent: bool = False


FAULTS = {
    'missing file': 'the dataset lists these files, but they do not exist',
    'empty file': 'these files have no content',
    'no image': 'these files are not images',
    'broken image': "these files are truncated or damaged and can't be decoded",
    'unknown values': 'these images have floats or integers of 32 bits, of which '
    'nobody knows what is black and what is white',
    'unreadable file': "these files exist, but can't be opened",
}
"""Faults of files, and their explanations."""


def inspect_file(path: str, quick: bool = False) -> FileFacts:
    """Decode and hash an image file.

    Args:
        path: The file.
        quick: Whether to only check that it exists and isn't empty.

    Example:
        >>> inspect_file('nowhere.jpg').fault
        'missing file'
    """
    try:
        if quick:
            return FileFacts(None if os.path.getsize(path) else 'empty file')
        with open(path, 'rb') as file:
            data = file.read()
    except FileNotFoundError:
        return FileFacts('missing file')
    except OSError:
        return FileFacts('unreadable file')
    return inspect_bytes(data)


def inspect_bytes(data: bytes) -> FileFacts:
    """Decode and hash the content of an image file, as training decodes it.

    Example:
        >>> inspect_bytes(b'<html>').fault
        'no image'
    """
    if not data:
        return FileFacts('empty file')
    try:
        with Image.open(BytesIO(data)) as image:
            found = to_rgb(image)
    except UnidentifiedImageError:
        return FileFacts('no image')
    except MemoryError:
        raise  # the file may be sound
    except ValueRangeError:
        return FileFacts('unknown values')
    except Exception:  # Pillow's readers raise anything on damaged files
        return FileFacts('broken image')
    digest = hashlib.blake2b(data, digest_size=16).digest()
    return FileFacts(
        None,
        digest,
        found.image.size,
        found.mode,
        found.orientation,
        found.is_transparent,
    )


def inspect_files(
    paths: Iterable[str],
    workers: int | None = None,
    quick: bool = False,
    progress: bool = False,
) -> dict[str, FileFacts]:
    """Inspect files, each once, in threads (decoding and hashing release the GIL).

    Args:
        paths: The files.
        workers: Number of threads. Defaults to the number of cores, at most 8.
        quick: See :func:`inspect_file`.
        progress: Whether to show a progress bar.
    """
    unique = list(dict.fromkeys(paths))
    with ThreadPoolExecutor(workers or min(os.cpu_count() or 1, 8)) as pool:
        facts = pool.map(lambda path: inspect_file(path, quick), unique)
        bar = tqdm(facts, 'Images', len(unique), unit='img', disable=not progress)
        return dict(zip(unique, bar, strict=True))

"""Image files: checking that they exist, and reading them."""

import io
import os
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from PIL import Image

from ..errors import MissingDataError, UnreadableImageError, list_names
from .rgb import ValueRangeError, to_rgb
from .suffixes import find_suffix


def read_image(path: str) -> Image.Image:
    """Decode an image file completely, as RGB of 8 bits, upright.

    Raises:
        MissingDataError: There is no such file.
        UnreadableImageError: See :func:`decode_image`.
    """
    return decode_image(read_file(path), path)


def read_file(path: str) -> bytes:
    """Read an image file as it is.

    Raises:
        MissingDataError: There is no such file.
        UnreadableImageError: It can't be read.
    """
    try:
        with open(path, 'rb') as file:
            return file.read()
    except FileNotFoundError:
        raise MissingDataError(
            f"Image '{path}' does not exist. It was there when the dataset was "
            'listed, or its annotation names a wrong file.'
        ) from None
    except OSError as error:
        raise UnreadableImageError(f"Image '{path}' can't be read: {error}.") from error


def decode_image(data: bytes, path: str) -> Image.Image:
    """Decode the bytes of an image file completely, as :func:`.to_rgb` does.

    Args:
        data: The bytes.
        path: Where they come from, for the message.

    Returns:
        RGB of 8 bits, upright.

    Raises:
        UnreadableImageError: They aren't an image, end too soon, or have values that
            can't be scaled.
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            return to_rgb(image).image
    except MemoryError:
        raise  # the file may be sound
    except ValueRangeError as error:
        raise UnreadableImageError(f"Image '{path}' can't be used: {error}.") from error
    except Exception as error:  # Pillow's readers raise anything on damaged files
        raise UnreadableImageError(
            f"Image '{path}' can't be decoded ({len(data):,} bytes: {error}). "
            'Expected a complete JPEG or PNG file: copy it anew from the dataset.'
        ) from error


def check_images(images: str, paths: Iterable[str], source: str) -> None:
    """Check that every image that an annotation names is there.

    A folder is listed once, which is much quicker than asking for each file.

    Args:
        images: Folder that the paths start from.
        paths: Paths with slashes.
        source: The annotation, for the message.

    Raises:
        MissingDataError: Images are absent; the message counts them by sub-folder
            and lists the first.
    """
    paths = list(paths)
    folders = {os.path.dirname(path): set[str]() for path in paths}
    for folder in folders:
        full = os.path.join(images, folder)
        if os.path.isdir(full):
            folders[folder] = set(os.listdir(full))
    absent = [
        path
        for path in paths
        if os.path.basename(path) not in folders[os.path.dirname(path)]
    ]
    if absent:
        by_folder = Counter(path.rpartition('/')[0] for path in absent)
        stems = {os.path.splitext(os.path.basename(path))[0] for path in absent}
        others = [
            name
            for names in folders.values()
            for name in names
            if os.path.splitext(name)[0] in stems
        ]
        hint = 'Copy the sub-folders that are missing from the dataset.'
        if ending := find_suffix(others):
            hint = (
                f"{len(others):,} files of these names end in '{ending}': "
                f"set suffix='{ending}'."
            )
        counts = [f'{folder}/: {n:,}' for folder, n in sorted(by_folder.items())]
        raise MissingDataError(
            f"{len(absent):,} images that '{source}' names are not in '{images}', by "
            f'sub-folder {list_names(counts)}. They are: {list_names(absent)}. {hint}'
        )


def verify_images(paths: Iterable[str]) -> None:
    """Decode every image, in parallel, and name all that fail.

    Raises:
        UnreadableImageError: Images are missing or can't be decoded.
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
            f'{len(bad):,} of {len(unique):,} images are unreadable: '
            f'{list_names(bad, 50)}. Copy them anew from the dataset.'
        )

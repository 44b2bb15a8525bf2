"""Reading MSMT17's list files, and identity and camera from its image paths."""

import os
import re
from typing import NamedTuple

from ..errors import AnnotationError, list_faults
from ..fault_collector import raise_or_collect

_EXPECTED_LINE = (
    'PPPP/PPPP_III_CC_MMDDmorning_FFFF_K.jpg P (identity P, camera CC from 1)'
)
_NAME_PATTERN = re.compile(r'[0-9]{4}_[0-9]+_([0-9]{2})_')


class ListedImage(NamedTuple):
    """An image that a line of a list file names."""

    path: str
    pid: int
    camid: int


def find_list(data_root: str, folder: str, name: str) -> str | None:
    """Return the path of a list file, beside or in the image folder; None if missing.

    Args:
        data_root: Folder of the dataset.
        folder: Image folder in it.
        name: Name of the list file.
    """
    for parent in (data_root, os.path.join(data_root, folder)):
        path = os.path.join(parent, name)
        if os.path.isfile(path):
            return path
    return None


def read_list(path: str) -> list[ListedImage]:
    """Read a list file and validate every line.

    Raises:
        AnnotationError: It isn't text, or lines don't have the expected format; the
            message lists the first invalid lines with the reason.
    """
    try:
        with open(path, encoding='utf-8-sig') as file:
            lines = [line.strip() for line in file]
    except UnicodeDecodeError as error:
        raise AnnotationError(
            f"'{path}' is not UTF-8 text ({error}). Expected lines {_EXPECTED_LINE}."
        ) from error
    images, faults = [], []
    for number, line in enumerate(lines, start=1):
        if not line:
            continue
        try:
            images.append(_parse_line(line))
        except ValueError as error:
            faults.append(f'line {number}: {error}')
    with raise_or_collect():
        if faults:
            raise AnnotationError(
                f"{len(faults):,} lines of '{path}' are invalid:\n"
                f'{list_faults(faults)}\nExpected {_EXPECTED_LINE}.',
                faults,
            )
    return images


def read_camera(path: str) -> int:
    """Return the camera (from 0) in an MSMT17 file name; -1 if there is none."""
    match = _NAME_PATTERN.match(os.path.basename(path))
    return int(match[1]) - 1 if match else -1


def read_identity(path: str) -> int | None:
    """Return the identity of an image in a four-digit folder, None in another folder.

    Example:
        >>> read_identity('train/0012/0012_000_01_0303morning_0008_0.jpg')
        12
    """
    folder = os.path.basename(os.path.dirname(path))
    return int(folder) if re.fullmatch('[0-9]{4}', folder) else None


def _parse_line(line: str) -> ListedImage:
    path, number = (*line.rsplit(maxsplit=1), '')[:2]  # a path may contain spaces
    path = path.replace('\\', '/')  # of Windows
    camid, pid = read_camera(path), read_identity(path)
    if not re.fullmatch('[0-9]{1,9}', number):
        raise ValueError(f'{line!r} does not end with an identity number')
    if path.count('/') != 1 or pid is None:
        raise ValueError(f'{path!r} is not in a folder of four digits')
    if camid < 0:
        raise ValueError(f'{path!r} has no camera in the third part of its name')
    if pid != int(number):
        raise ValueError(
            f'{path!r} is in the folder of identity {pid}, but the line says {number}'
        )
    return ListedImage(path, pid, camid)

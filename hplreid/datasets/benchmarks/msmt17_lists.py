"""MSMT17's lists of images, and what its file names tell."""

import os
import re
from typing import NamedTuple

from ..errors import AnnotationError, list_faults
from ..fault_collector import tolerable

_LINE = 'PPPP/PPPP_III_CC_MMDDmorning_FFFF_K.jpg P (identity P, camera CC from 1)'
_NAME = re.compile(r'[0-9]{4}_[0-9]+_([0-9]{2})_')


class Line(NamedTuple):
    """A line of a list file."""

    path: str
    pid: int
    camid: int


def find_list(data_root: str, folder: str, name: str) -> str | None:
    """Return the path of a list file, beside the folder of images or in it."""
    for place in (data_root, os.path.join(data_root, folder)):
        path = os.path.join(place, name)
        if os.path.isfile(path):
            return path
    return None


def read_list(path: str) -> list[Line]:
    """Read a list file and check every line.

    Raises:
        AnnotationError: It isn't text, or lines are not of the expected form; the
            message lists the first of them with the reason.
    """
    try:
        with open(path, encoding='utf-8') as file:
            raw = [line.strip() for line in file]
    except UnicodeDecodeError as error:
        raise AnnotationError(
            f"'{path}' is not text in UTF-8 ({error}). Expected lines {_LINE}."
        ) from error
    lines, faults = [], []
    for number, text in enumerate(raw, start=1):
        if not text:
            continue
        try:
            lines.append(_parse(text))
        except ValueError as error:
            faults.append(f'line {number}: {error}')
    with tolerable():
        if faults:
            raise AnnotationError(
                f"{len(faults):,} lines of '{path}' can't be used:\n"
                f'{list_faults(faults)}\nExpected {_LINE}.',
                faults,
            )
    return lines


def read_camera(path: str) -> int:
    """Return the camera, from 0, that MSMT17 wrote into a file name; -1 if none."""
    match = _NAME.match(os.path.basename(path))
    return int(match[1]) - 1 if match else -1


def read_identity(path: str) -> int | None:
    """Return the identity that a four-digit folder names, if it is one."""
    folder = os.path.basename(os.path.dirname(path))
    return int(folder) if re.fullmatch('[0-9]{4}', folder) else None


def _parse(text: str) -> Line:
    path, number = (*text.rsplit(maxsplit=1), '')[:2]  # a path may hold spaces
    camid, pid = read_camera(path), read_identity(path)
    if not re.fullmatch('[0-9]{1,9}', number):
        raise ValueError(f'{text!r} does not end with the number of an identity')
    if path.count('/') != 1 or pid is None:
        raise ValueError(f'{path!r} does not lie in a folder of four digits')
    if camid < 0:
        raise ValueError(f'{path!r} does not tell the camera in its third part')
    if pid != int(number):
        raise ValueError(f'{path!r} lies in the folder of {pid}, but is said {number}')
    return Line(path, pid, camid)

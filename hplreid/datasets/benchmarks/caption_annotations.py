"""Reading and validating the annotation files of captioned benchmarks."""

import json
import logging
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, NamedTuple

from hplreid.utils.log import log

from ..errors import AnnotationError, list_faults
from ..fault_collector import raise_or_collect

_MAX_ID = 2**31 - 1


class Entry(NamedTuple):
    """An image with its captions."""

    split: str
    file_path: str
    pid: int
    captions: tuple[str, ...]


@dataclass(frozen=True)
class AnnotationFormat:
    """Format of a benchmark's annotation file: a list of objects.

    Args:
        splits: Valid values of ``split``.
        path_key: Key of the image's path.
        example: Example of such a path, for messages.
    """

    splits: tuple[str, ...]
    path_key: str
    example: str

    def __str__(self) -> str:
        splits = ' | '.join(f'"{split}"' for split in self.splits)
        return (
            f'a list of {{"split": {splits}, "captions": [text, ...], '
            f'"{self.path_key}": "{self.example}", "id": whole number from 0}}'
        )

    def find_fault(self, entry: Any) -> str | None:  # noqa: ANN401
        """Return what is wrong with a raw entry, or None."""
        if not isinstance(entry, dict):
            return f'is a {type(entry).__name__}, not an object'
        keys = ('split', 'captions', self.path_key, 'id')
        missing = [key for key in keys if key not in entry]
        if missing:
            return f'has no {", ".join(missing)}'
        if entry['split'] not in self.splits:
            return f'split is {entry["split"]!r}, not one of {self.splits}'
        return (
            _find_id_fault(entry['id'])
            or _find_path_fault(self.path_key, entry[self.path_key])
            or _find_caption_fault(entry['captions'])
        )


def read_entries(path: str, annotation_format: AnnotationFormat) -> list[Entry]:
    """Read an annotation file and validate every entry.

    A run builds its datasets several times, to check them, to cache their images and to
    train; a file that hasn't changed in between is read once.

    Raises:
        AnnotationError: It isn't JSON, or entries don't have the expected format; the
            message lists the first invalid entries with the reason.
    """
    state = os.stat(path)
    version = state.st_ino, state.st_mtime_ns, state.st_size
    valid, faults = _read_version(path, version, annotation_format)
    with raise_or_collect():
        if faults:
            total = len(valid) + len(faults)
            raise AnnotationError(
                f"{len(faults):,} of {total:,} entries of '{path}' are invalid:\n"
                f'{list_faults(faults)}\nExpected {annotation_format}.',
                list(faults),
            )
    return list(valid)


@lru_cache(maxsize=4)
def _read_version(
    path: str, version: tuple[int, int, int], annotation_format: AnnotationFormat
) -> tuple[tuple[Entry, ...], tuple[str, ...]]:
    """Return the valid entries of a version of a file, and the faults of the others."""
    try:
        with open(path, encoding='utf-8-sig') as file:  # Windows writes a mark
            raw = json.load(file)
    # ValueError: not UTF-8, not JSON, or an integer of thousands of digits
    except (ValueError, RecursionError) as error:
        raise AnnotationError(
            f"'{path}' is not valid JSON ({error}). Expected {annotation_format}. "
            'Download the file again.'
        ) from error
    if not isinstance(raw, list):
        raise AnnotationError(
            f"'{path}' holds a {type(raw).__name__}. Expected {annotation_format}."
        )
    _turn_slashes(path, raw, annotation_format.path_key)
    fault_of_entry = [annotation_format.find_fault(entry) for entry in raw]
    faults = [f'entry {i}: {fault}' for i, fault in enumerate(fault_of_entry) if fault]
    valid = (
        Entry(e['split'], e[annotation_format.path_key], e['id'], tuple(e['captions']))
        for e, fault in zip(raw, fault_of_entry, strict=True)
        if not fault
    )
    return tuple(valid), tuple(faults)


def read_first_keys(path: str, limit: int = 1 << 20) -> set[str] | None:
    """Return the keys of the first entry without reading the whole file.

    Args:
        path: The annotation file.
        limit: Maximum number of bytes to read.

    Returns:
        None if the file doesn't begin with a list of objects.
    """
    with open(path, 'rb') as file:
        text = file.read(limit).decode('utf-8-sig', errors='replace').lstrip()
    try:
        first, _ = json.JSONDecoder().raw_decode(text[1:].lstrip())
    except (ValueError, RecursionError):
        return None
    return set(first) if text[:1] == '[' and isinstance(first, dict) else None


def _turn_slashes(path: str, raw: list[Any], key: str) -> None:
    """Write the paths of Windows with slashes, and say so."""
    turned = 0
    for entry in raw:
        image = entry.get(key) if isinstance(entry, dict) else None
        if isinstance(image, str) and '\\' in image:
            entry[key] = image.replace('\\', '/')
            turned += 1
    if turned:
        log(
            f"'{path}': {turned:,} of {len(raw):,} paths have backslashes, as on "
            'Windows; they are read as slashes.',
            level=logging.WARNING,
        )


def _find_id_fault(pid: Any) -> str | None:  # noqa: ANN401
    is_integer = isinstance(pid, int) and not isinstance(pid, bool)
    if is_integer and 0 <= pid <= _MAX_ID:
        return None
    return f'id is {pid!r}, not a whole number from 0'


def _find_path_fault(key: str, path: Any) -> str | None:  # noqa: ANN401
    if not isinstance(path, str) or not path:
        return f'{key} is {path!r}, not a path'
    pure = PurePosixPath(path)
    absolute = pure.is_absolute() or PureWindowsPath(path).is_absolute()
    if absolute or '..' in pure.parts:
        return f'{key} is {path!r}, not a path inside imgs/'
    return None


def _find_caption_fault(captions: Any) -> str | None:  # noqa: ANN401
    if not isinstance(captions, list) or not captions:
        return f'captions is {captions!r}, not a list of at least one text'
    invalid = [c for c in captions if not isinstance(c, str) or not c.strip()]
    return f'caption {invalid[0]!r} is not a text' if invalid else None

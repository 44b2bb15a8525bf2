"""Reading and checking ``reid_raw.json``."""

import json
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from .errors import AnnotationError, MissingDataError, listing

_SPLITS = ('train', 'val', 'test')
_FORM = (
    'a list of {"split": "train" | "val" | "test", "captions": [text, ...], '
    '"file_path": "Market/0002_....jpg", "id": whole number from 0}'
)


class Entry(NamedTuple):
    """A picture and what people wrote about it."""

    split: str
    file_path: str
    pid: int
    captions: tuple[str, ...]


def read_entries(path: str) -> list[Entry]:
    """Read the annotation file and check every entry.

    Raises:
        AnnotationError: It isn't JSON, or entries are not of the expected form; the
            message lists the first of them with the reason.
    """
    try:
        with open(path, encoding='utf-8') as file:
            raw = json.load(file)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise AnnotationError(
            f"'{path}' is not valid JSON ({error}). Expected {_FORM}: get it anew."
        ) from error
    if not isinstance(raw, list):
        raise AnnotationError(
            f"'{path}' holds a {type(raw).__name__}. Expected {_FORM}."
        )
    faults = [
        f'entry {i}: {fault}' for i, entry in enumerate(raw) if (fault := _fault(entry))
    ]
    if faults:
        raise AnnotationError(
            f"{len(faults):,} of {len(raw):,} entries of '{path}' can't be used:\n"
            f'{_lines(faults)}\nExpected {_FORM}.'
        )
    return [
        Entry(e['split'], e['file_path'], e['id'], tuple(e['captions'])) for e in raw
    ]


def check_pictures(images: str, entries: Iterable[Entry], source: str) -> None:
    """Check that the picture of every entry is there.

    A folder is listed once, which is much quicker than asking for each file.

    Args:
        images: Folder that the paths of entries start from.
        entries: The entries to check.
        source: The annotation file, for the message.

    Raises:
        MissingDataError: Captions name absent pictures; the message counts them by
            sub-folder and lists the first.
    """
    entries = list(entries)
    folders = {folder: set[str]() for folder in sorted({_folder(e) for e in entries})}
    for folder in folders:
        path = os.path.join(images, folder)
        if os.path.isdir(path):
            folders[folder] = set(os.listdir(path))
    absent = [
        e.file_path
        for e in entries
        if os.path.basename(e.file_path) not in folders[_folder(e)]
    ]
    if absent:
        by_folder = Counter(path.partition('/')[0] for path in absent)
        counts = [f'{folder}/: {n:,}' for folder, n in sorted(by_folder.items())]
        raise MissingDataError(
            f"{len(absent):,} pictures that have captions in '{source}' are not in "
            f"'{images}', by sub-folder {listing(counts)}. They are: {listing(absent)}"
            '. Copy the sub-folders that are missing from the data set.'
        )


def _folder(entry: Entry) -> str:
    return os.path.dirname(entry.file_path)


def _fault(entry: Any) -> str | None:  # noqa: ANN401
    """Say what is wrong with a raw entry."""
    if not isinstance(entry, dict):
        return f'is a {type(entry).__name__}, not an object'
    missing = [k for k in ('split', 'captions', 'file_path', 'id') if k not in entry]
    if missing:
        return f'has no {", ".join(missing)}'
    pid, captions = entry['id'], entry['captions']
    if not isinstance(pid, int) or isinstance(pid, bool) or pid < 0:
        return f'id is {pid!r}, not a whole number from 0'
    if entry['split'] not in _SPLITS:
        return f'split is {entry["split"]!r}, not one of {_SPLITS}'
    if not isinstance(entry['file_path'], str) or not entry['file_path']:
        return f'file_path is {entry["file_path"]!r}, not a path'
    if not isinstance(captions, list) or not captions:
        return f'captions is {captions!r}, not a list of at least one text'
    wrong = [c for c in captions if not isinstance(c, str) or not c.strip()]
    return f'caption {wrong[0]!r} is not a text' if wrong else None


def _lines(faults: Sequence[str], limit: int = 10) -> str:
    more = len(faults) - limit
    tail = [f'  and {more:,} more'] if more > 0 else []
    return '\n'.join([*(f'  {fault}' for fault in faults[:limit]), *tail])

"""The ledger of a work folder: a line for each evaluation, never rewritten."""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

LEDGER = 'results.jsonl'
"""Name of the ledger in a work folder."""

Entry = dict[str, Any]
"""An evaluation: ``time``, ``folder`` (of its files, seen from the work folder),
``scores`` and ``provenance``."""


def append_entry(path: str | Path, entry: Mapping[str, Any]) -> None:
    """Append an evaluation to a ledger, which is made if it doesn't exist.

    Several processes may append at once: a line is written in one piece, under a lock
    where the system has any, and is on disk when this function returns. A line that a
    crash left unfinished stays as it is, and the new one starts below it.

    Args:
        path: The ledger.
        entry: Values that JSON can hold.

    Example:
        >>> append_entry('plain.jsonl', dict(folder='test/plain', scores={}))
        >>> read_ledger('plain.jsonl')
        ([{'folder': 'test/plain', 'scores': {}}], [])
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(entry).encode() + b'\n'
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, 'O_BINARY', 0)
    file = os.open(path, flags, 0o666)
    try:
        with _locked(file):
            size = os.lseek(file, 0, os.SEEK_END)
            if size:
                os.lseek(file, size - 1, os.SEEK_SET)
                if os.read(file, 1) != b'\n':
                    line = b'\n' + line
            written = 0
            while written < len(line):
                written += os.write(file, line[written:])
            os.fsync(file)
    finally:
        os.close(file)


def read_ledger(path: str | Path) -> tuple[list[Entry], list[int]]:
    """Read a ledger.

    Returns:
        The evaluations in order, and the numbers of lines that aren't any, from 1: a
        crash may leave one unfinished. Both are empty if there is no ledger.

    Example:
        >>> append_entry('results.jsonl', dict(folder='.'))
        >>> read_ledger('results.jsonl')
        ([{'folder': '.'}], [])
    """
    path = Path(path)
    if not path.is_file():
        return [], []
    entries: list[Entry] = []
    damaged = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        if isinstance(entry, dict):
            entries.append(entry)
        else:
            damaged.append(number)
    return entries, damaged


@contextlib.contextmanager
def _locked(file: int) -> Iterator[None]:
    """Hold the lock of an open file; it ends with the process, too."""
    if fcntl is None:
        yield
        return
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)

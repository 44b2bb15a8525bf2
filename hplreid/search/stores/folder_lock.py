"""One process at a time in the folder of an embedded gallery."""

import json
import os
from pathlib import Path

from hplreid.utils.atomic_files import HOST

from ..errors import GalleryError, GalleryInUseError

try:
    import fcntl
except ImportError:  # Windows: the database's own lock refuses, in its words
    fcntl = None  # type: ignore[assignment]

LOCK = '.lock'


class FolderLock:
    """The lock of a folder, which ends with the process, however that dies.

    Args:
        folder: It is made if it doesn't exist.

    Raises:
        GalleryInUseError: Another process holds it, or this one does already.
        GalleryError: The folder can't be written.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / LOCK
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise GalleryError(
                f"Gallery '{folder}' can't be written: {error.strerror}. The database "
                'writes there when it is opened, too.'
            ) from None
        try:
            if fcntl is not None:
                fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._handle)
            raise GalleryInUseError(
                f"Gallery '{folder}' is open in {_read_holder(path)}: an embedded "
                'gallery belongs to one process at a time. Close the other, or put the '
                'gallery on a server (docs/search.md), where many may read and write.'
            ) from None
        os.ftruncate(self._handle, 0)
        os.pwrite(
            self._handle, json.dumps(dict(pid=os.getpid(), host=HOST)).encode(), 0
        )

    def release(self) -> None:
        """Let others in."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None  # type: ignore[assignment]


def _read_holder(path: Path) -> str:
    try:
        holder = json.loads(path.read_text(encoding='utf-8'))
        return f'process {holder["pid"]} on {holder["host"]}'
    except (OSError, ValueError, KeyError, TypeError):
        return 'another process'

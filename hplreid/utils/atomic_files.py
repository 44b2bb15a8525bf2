"""Write files that are either complete or absent, whenever the process dies."""

import errno
import json
import os
import re
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from .user_error import UserError

HOST = socket.gethostname().split('.')[0]
_TEMPORARY = re.compile(r'\..+\.(?P<host>[^.@]+)@(?P<pid>\d+)\.tmp')

# What a user can mend, and how
_ADVICE = {
    errno.ENOSPC: 'Free some space',
    errno.EDQUOT: 'Free some of your quota',
    errno.EFBIG: 'Raise the limit of file sizes (ulimit -f)',
    errno.EROFS: 'Choose a folder on a file system that can be written',
    errno.EACCES: 'Give yourself the right to write there, or choose another folder',
    errno.EPERM: 'Give yourself the right to write there, or choose another folder',
    errno.ENOTDIR: 'Choose another folder: a part of this path is a file',
    errno.EEXIST: 'Choose another folder: a part of this path is a file',
}


class WriteError(UserError, OSError):
    """A file can't be written: the disk is full, say, or it is read-only."""


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path, whose file is renamed to ``path`` at the end.

    The folder is made if it doesn't exist. After an error the temporary file is
    removed, and an older file at ``path`` is as it was. What a killed process leaves,
    :func:`remove_leftovers` removes.

    Args:
        path: The file to write.

    Raises:
        WriteError: The disk is full, a quota is used up, or the folder is read-only.

    Example:
        >>> with atomic_path('scores/report.txt') as temporary:
        ...     _ = temporary.write_text('mAP 70.1')
        >>> Path('scores/report.txt').read_text()
        'mAP 70.1'
        >>> [file.name for file in Path('scores').iterdir()]
        ['report.txt']
    """
    path = Path(path)
    temporary = path.with_name(f'.{path.name}.{HOST}@{os.getpid()}.tmp')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        if isinstance(error, WriteError) or error.errno not in _ADVICE:
            raise
        raise WriteError(describe_failure(path, error, _size(temporary))) from error
    finally:
        if _size(temporary) is not None:
            temporary.unlink()


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def describe_failure(
    path: str | Path, error: OSError, written: int | None = None
) -> str:
    """Describe why a file can't be written, and what to do.

    Args:
        path: The file or folder.
        error: What the system said.
        written: Bytes of it that could be written.

    Returns:
        One or two sentences.
    """
    folder = Path(path).absolute().parent
    while not folder.is_dir():
        folder = folder.parent
    facts = [] if written is None else [f'after {show_size(written)}']
    facts.append(f'{show_size(shutil.disk_usage(folder).free)} are free in {folder}')
    advice = _ADVICE.get(error.errno or 0, 'Look at the folder')
    return (
        f"'{path}' can't be written: {os.strerror(error.errno or 0)} "
        f'({", ".join(facts)}). {advice}.'
    )


def show_size(size: float) -> str:
    """Return a number of bytes in words.

    Example:
        >>> show_size(800), show_size(3 * 2**20)
        ('800 B', '3.0 MiB')
    """
    if size < 1024:
        return f'{size:.0f} B'
    for unit in ('KiB', 'MiB'):
        size /= 1024
        if size < 1024:
            return f'{size:.1f} {unit}'
    return f'{size / 1024:.1f} GiB'


def remove_leftovers(
    folder: str | Path, dead: tuple[str, int] | None = None
) -> list[Path]:
    """Remove the temporary files of killed processes from a folder and its sub-folders.

    Call it before anything is written there. A file is removed if its process was of
    this machine and doesn't live, or has the identifier of this one.

    Args:
        folder: The folder; one level of sub-folders is searched, too.
        dead: Machine and identifier of a process that is known to be dead.

    Returns:
        What was removed.

    Example:
        >>> folder = Path('run')
        >>> folder.mkdir()
        >>> (folder / f'.epoch_3.pth.{HOST}@4194999.tmp').touch()
        >>> [path.name.split('.')[1] for path in remove_leftovers(folder)]
        ['epoch_3']
    """
    removed = []
    for path in (*Path(folder).glob('.*.tmp'), *Path(folder).glob('*/.*.tmp')):
        found = _TEMPORARY.fullmatch(path.name)
        if found is None:
            continue
        owner = found['host'], int(found['pid'])
        if owner == dead or owner[0] == HOST and not _lives_elsewhere(owner[1]):
            path.unlink(missing_ok=True)
            removed.append(path)
    return removed


def _lives_elsewhere(pid: int) -> bool:
    """Return whether another process of this machine has an identifier."""
    if pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # of another user
    return True


def write_json(path: str | Path, content: Mapping[str, object]) -> None:
    """Write results as an indented JSON file.

    Args:
        path: The file; its folder is made if it doesn't exist.
        content: What it is to hold.

    Raises:
        WriteError: See :func:`atomic_path`.

    Example:
        >>> write_json('metrics.json', {'market1501/mAP': 89.5})
        >>> print(Path('metrics.json').read_text(), end='')
        {
          "market1501/mAP": 89.5
        }
    """
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + '\n', encoding='utf-8')

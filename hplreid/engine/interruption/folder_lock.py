"""One training at a time in a work folder, which can be written."""

import errno
import functools
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from mmengine.config import Config
from mmengine.dist import broadcast_object_list, is_main_process

from hplreid.utils.atomic_files import HOST, describe_failure, remove_leftovers
from hplreid.utils.log import log
from hplreid.utils.user_error import UserError

try:
    import fcntl
except ImportError:  # Windows: no folder is locked there
    fcntl = None  # type: ignore[assignment]

LOCK_NAME = '.lock'
_NOT_SUPPORTED = (errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK, errno.EINVAL)
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)

P = ParamSpec('P')
T = TypeVar('T')


class FolderInUseError(UserError, RuntimeError):
    """Another training is writing in the work folder."""


class WorkFolderError(UserError, OSError):
    """The work folder can't be written: a file, read-only, or on a full disk."""


def in_locked_folder(
    function: Callable[Concatenate[Config, P], T],
) -> Callable[Concatenate[Config, P], T]:
    """Make a function of a config run in its locked ``work_dir``, see :func:`locked`.

    A disk that gets full anywhere in between is a :class:`WorkFolderError`.

    Example:
        >>> from pathlib import Path
        >>> @in_locked_folder
        ... def run(config):
        ...     return sorted(path.name for path in Path(config.work_dir).iterdir())
        >>> run(Config(dict(work_dir='runs/a')))
        ['.lock']
    """

    @functools.wraps(function)
    def run(config: Config, *args: P.args, **kwargs: P.kwargs) -> T:
        with locked(config.work_dir):
            return function(config, *args, **kwargs)

    return run


@contextmanager
def locked(folder: str | Path) -> Iterator[None]:
    """Hold the lock of a work folder within a ``with`` block.

    The folder is made, and what a killed run has left half written is removed. The lock
    is the system's (``flock``) and ends with the process, however that dies; the file
    ``.lock`` stays and says who has held it. With several processes the first one
    locks, and all fail if it does.

    Args:
        folder: The work folder.

    Raises:
        FolderInUseError: Another process holds it.
        WorkFolderError: The folder can't be made or written, at first or later.
    """
    folder = Path(folder)
    handle: int | None = None
    outcome: list[Exception | None] = [None]
    if is_main_process():
        try:
            handle = _acquire(folder)
        except (FolderInUseError, WorkFolderError) as error:
            outcome = [error]
    broadcast_object_list(outcome)
    if outcome[0] is not None:
        raise outcome[0]
    try:
        yield
    except OSError as error:
        if isinstance(error, UserError) or error.errno not in _FULL:
            raise
        place = error.filename or folder / 'log'
        raise WorkFolderError(describe_failure(place, error)) from error
    finally:
        if handle is not None:
            _held.discard(handle)
            os.close(handle)


def _acquire(folder: Path) -> int:
    """Lock a folder and remove leftovers; return the open lock file."""
    path = folder / LOCK_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise WorkFolderError(f'work_dir: {describe_failure(path, error)}') from error
    try:
        _lock(handle, folder)
        former = _read_holder(path)
        holder = dict(host=HOST, pid=os.getpid(), since=f'{datetime.now():%F %T}')
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(holder).encode(), 0)
    except OSError as error:
        os.close(handle)
        if isinstance(error, UserError):
            raise
        raise WorkFolderError(f'work_dir: {describe_failure(path, error)}') from error
    except FolderInUseError:
        os.close(handle)
        raise
    _held.add(handle)
    dead = (former['host'], former['pid']) if former else None
    removed = remove_leftovers(folder, dead)
    if removed:
        names = ', '.join(path.name for path in removed)
        log(f'Removed what a killed run had left half written: {names}')
    return handle


def _lock(handle: int, folder: Path) -> None:
    if fcntl is None:
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = _read_holder(folder / LOCK_NAME) or {}
        raise FolderInUseError(
            f"Another training is writing in '{folder}': process "
            f'{holder.get("pid", "unknown")} on {holder.get("host", "this machine")}, '
            f'since {holder.get("since", "an unknown time")}. Wait for it, stop it, or '
            'choose another folder with --work-dir.'
        ) from None
    except OSError as error:
        if error.errno not in _NOT_SUPPORTED:
            raise
        log(
            f"The file system of '{folder}' has no locks: nothing keeps two trainings "
            'from writing there at once.'
        )


def _read_holder(path: Path) -> dict[str, Any] | None:
    """Return who holds or held a lock, None if nobody ever did."""
    try:
        holder = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError):
        return None
    return holder if isinstance(holder, dict) and 'pid' in holder else None


_held: set[int] = set()


def _close_in_child() -> None:
    """Close the locks in a forked worker, which may outlive a killed run."""
    for handle in _held:
        os.close(handle)
    _held.clear()


if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child=_close_in_child)

"""The checkpoint from which a run goes on: the last one that is whole."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path

from mmengine.dist import broadcast_object_list, is_main_process

from hplreid.utils.checkpoints.checkpoint import CheckpointError, read_checkpoint
from hplreid.utils.log import log

LAST = 'last_checkpoint'
"""The file that names the last checkpoint, as MMEngine writes it."""

INTERRUPTED = 'interrupted_iter_{}.pth'
"""Name of the checkpoint of a run that was asked to stop, by its finished steps."""

_RESUMABLE = re.compile(r'(interrupted_iter|iter|epoch)_(\d+)\.pth')


def find_resume_point(folder: str | Path) -> str | None:
    """Return the last checkpoint of a work folder that is whole, None without any.

    That is the one that ``last_checkpoint`` names. If it is damaged or missing, it is
    the newest of the others, which is said loudly. The first process reads and decides
    for all.

    Raises:
        CheckpointError: There are checkpoints, and none of them can be read.

    Example:
        >>> find_resume_point('a/new/folder') is None
        True
    """
    outcome: list[str | Exception | None] = [None]
    if is_main_process():
        try:
            outcome = [_find(Path(folder))]
        except CheckpointError as error:
            outcome = [error]
    broadcast_object_list(outcome)
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    return outcome[0]


def _find(folder: Path) -> str | None:
    faults: list[str] = []
    for path in dict.fromkeys(_candidates(folder, faults)):
        try:
            read_checkpoint(path)
        except (CheckpointError, OSError) as error:
            faults.append(str(error))
            continue
        if faults:
            log(
                f'Resuming from {path} instead of the last checkpoint; what came '
                'after it is trained again:\n  ' + '\n  '.join(faults),
                logging.WARNING,
            )
        return str(path)
    if faults:
        raise CheckpointError(
            f"No checkpoint in '{folder}' can be resumed:\n  "
            + '\n  '.join(faults)
            + '\nTo start anew, leave out --resume.'
        )
    return None


def _candidates(folder: Path, faults: list[str]) -> Iterator[Path]:
    """Yield checkpoints from the likeliest to the least likely."""
    named = _read_last(folder, faults)
    folders = [folder]
    if named is not None:
        # A work folder that was moved or copied has its checkpoints with it
        places = [folder / named.name, named]
        found = [path for path in places if path.is_file()]
        if not found:
            faults.append(f"'{folder / LAST}' names '{named}', which does not exist.")
        yield from found[:1]
        folders.append(named.parent)
    others = {
        path
        for place in folders
        if place.is_dir()
        for path in place.iterdir()
        if _RESUMABLE.fullmatch(path.name)
    }
    yield from sorted(others, key=lambda path: path.stat().st_mtime, reverse=True)


def _read_last(folder: Path, faults: list[str]) -> Path | None:
    path = folder / LAST
    try:
        text = path.read_text(encoding='utf-8').strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        faults.append(f"'{path}' can't be read: {error}.")
        return None
    if not text:
        faults.append(f"'{path}' is empty.")
        return None
    return Path(text)

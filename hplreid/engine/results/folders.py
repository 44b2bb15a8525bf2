"""Folders and files of results, which never replace others unless asked to."""

import re
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from hplreid.utils.user_error import UserError

LAST = 'last'
"""Name of a training's own evaluation of its last epoch, where it selects another."""

_SCORES = ('metrics.json', 'per_query', 'ranked_lists', 'features')
_WEIGHTS = 'final.safetensors'
_OF_TRAINING = (*_SCORES, _WEIGHTS, 'seeds.json', f'test/{LAST}')
_CHECKPOINTS = ('last_checkpoint', 'epoch_*.pth', 'iter_*.pth', 'best_*.pth')
# What tells that a training was here; a folder may have any other file before
_SIGNS = ('metrics.json', _WEIGHTS, 'seeds.json', 'last_checkpoint')


class ResultExistsError(UserError, FileExistsError):
    """Results would replace others, and nobody asked for that."""


class ResultNameError(UserError, ValueError):
    """The name of an evaluation isn't one that a folder can have."""


def check_training_folder(
    folder: str | Path,
    resume: bool = False,
    overwrite: bool = False,
    load_from: str | None = None,
) -> None:
    """Check that a training would not replace another one's results or checkpoints.

    A training that was killed counts as well: it goes on by ``--resume``.

    Args:
        folder: The work folder, or that of several seeds.
        resume: Whether the training is resumed.
        overwrite: Whether it may replace what is there.
        load_from: The checkpoint that it begins from.

    Raises:
        ResultExistsError: The folder has files of another training, or the checkpoint
            would be removed.

    Example:
        >>> check_training_folder('new')
        >>> Path('old').mkdir()
        >>> _ = Path('old/metrics.json').write_text('{}')
        >>> check_training_folder('old', overwrite=True)
        >>> check_training_folder('old')
        Traceback (most recent call last):
        ...
        hplreid.engine.results.folders.ResultExistsError: 'old' has a training ...
    """
    found = [sign for sign in _SIGNS if (Path(folder) / sign).exists()]
    if found and not resume and not overwrite:
        raise ResultExistsError(
            f"'{folder}' has a training already ({', '.join(found)}). Take another "
            'folder with --work-dir, go on with that training with --resume, or '
            'remove its checkpoints and scores with --overwrite.'
        )
    if not overwrite or resume or load_from is None:
        return
    removed = {path.resolve() for path in find_removed(folder)}
    if Path(load_from).expanduser().resolve() in removed:
        raise ResultExistsError(
            f"load_from: --overwrite would remove '{load_from}', which this training "
            'begins from. Take another folder with --work-dir.'
        )


def make_room_for_training(
    folder: str | Path, resume: bool = False, overwrite: bool = False
) -> str:
    """Make a folder free of results, for a training that writes its own there.

    A resumed training keeps its checkpoints; scores and final weights that it had are
    moved to ``earlier/<time>``. With ``overwrite`` scores, final weights and, without
    ``resume``, checkpoints are removed. Logs and ``results.jsonl`` always stay.

    Args:
        folder: The work folder.
        resume: Whether the training is resumed.
        overwrite: Whether results may be removed.

    Returns:
        A line that says what was done; empty if nothing was in the way.

    Example:
        >>> Path('resumed').mkdir()
        >>> _ = Path('resumed/metrics.json').write_text('{}')
        >>> make_room_for_training('resumed', resume=True)
        'Scores and final weights of before are in resumed/earlier/...'
        >>> Path('resumed/metrics.json').exists()
        False
    """
    folder = Path(folder)
    results = [folder / name for name in _OF_TRAINING if (folder / name).exists()]
    if resume and not overwrite:
        if not results:
            return ''
        aside = _make_new(folder / 'earlier', _timestamp())
        for path in results:
            path.rename(aside / path.name)
        return f'Scores and final weights of before are in {aside}.'
    if not overwrite:
        return ''
    checkpoints = [] if resume else [p for g in _CHECKPOINTS for p in folder.glob(g)]
    for path in (*results, *checkpoints):
        _remove(path)
    count = len(results) + len(checkpoints)
    return f'Removed {count} results and checkpoints of {folder}.' if count else ''


def find_removed(folder: str | Path) -> Iterator[Path]:
    """Yield the checkpoints that :func:`make_room_for_training` would remove."""
    for pattern in (*_CHECKPOINTS, _WEIGHTS):
        yield from Path(folder).glob(pattern)


def check_evaluation_folder(
    work_dir: str | Path, tag: str | None, overwrite: bool = False
) -> None:
    """Check the name of an evaluation, and that there is none of that name.

    Raises:
        ResultNameError: The name is more than a name.
        ResultExistsError: There is one, and it may not be replaced.

    Example:
        >>> check_evaluation_folder('run', 'flipped')
        >>> check_evaluation_folder('run', '../other')
        Traceback (most recent call last):
        ...
        hplreid.engine.results.folders.ResultNameError: --tag ../other: expected ...
    """
    if tag is None:
        return
    if not re.fullmatch(r'[\w+=-][\w.+=-]*', tag):
        raise ResultNameError(
            f'--tag {tag}: expected the name of a folder, of letters, digits and '
            "'_', '-', '.', '+', '='."
        )
    folder = Path(work_dir) / 'test' / tag
    if folder.exists() and not overwrite:
        raise ResultExistsError(
            f"'{folder}' has an evaluation already. Choose another --tag, or replace "
            'it with --overwrite.'
        )


def make_evaluation_folder(
    work_dir: str | Path, tag: str | None = None, overwrite: bool = False
) -> Path:
    """Make the folder of an evaluation: ``<work_dir>/test/<tag or time>``.

    Two evaluations that begin in the same second have folders of their own.

    Args:
        work_dir: The work folder.
        tag: Name of the evaluation; None for the time.
        overwrite: Whether the scores in a folder of that name are removed.

    Raises:
        ResultNameError: The name is more than a name.
        ResultExistsError: The folder exists, and ``overwrite`` is False.

    Example:
        >>> make_evaluation_folder('run', 'plain')
        PosixPath('run/test/plain')
        >>> make_evaluation_folder('run', 'plain')
        Traceback (most recent call last):
        ...
        hplreid.engine.results.folders.ResultExistsError: 'run/test/plain' has an ...
    """
    check_evaluation_folder(work_dir, tag, overwrite)
    if tag is None:
        return _make_new(Path(work_dir) / 'test', _timestamp())
    folder = Path(work_dir) / 'test' / tag
    folder.mkdir(parents=True, exist_ok=overwrite)
    for name in _SCORES:
        _remove(folder / name)
    return folder


def check_new_file(path: str | Path | None, option: str, overwrite: bool) -> None:
    """Check that the file of an option doesn't exist.

    Raises:
        ResultExistsError: It does, and ``overwrite`` is False.

    Example:
        >>> check_new_file('scores.json', '--out', overwrite=False)
    """
    if path and Path(path).exists() and not overwrite:
        raise ResultExistsError(
            f"{option}: '{path}' exists. Choose another file, or replace it with "
            '--overwrite.'
        )


def check_new_folder(path: str | Path | None, option: str, overwrite: bool) -> None:
    """Check that the folder of an option is empty or doesn't exist.

    Raises:
        ResultExistsError: It has files and ``overwrite`` is False, or it is a file.

    Example:
        >>> check_new_folder('features', '--dump-features', overwrite=False)
    """
    if not path or not Path(path).exists():
        return
    if not Path(path).is_dir():
        raise ResultExistsError(f"{option}: '{path}' is a file, expected a folder.")
    if not overwrite and any(Path(path).iterdir()):
        raise ResultExistsError(
            f"{option}: the folder '{path}' has files. Choose another one, or let "
            'files of the same name be replaced with --overwrite.'
        )


def _make_new(parent: Path, name: str) -> Path:
    """Make a new folder; a number is added to a name that is taken."""
    number = 1
    while True:
        folder = parent / (name if number == 1 else f'{name}-{number}')
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            number += 1
        else:
            return folder


def _timestamp() -> str:
    return datetime.now().strftime('%Y%m%d_%H%M%S')


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)

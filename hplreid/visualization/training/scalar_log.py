"""The scalars that a run has logged, a resumed run's in one piece."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hplreid.utils.user_error import UserError

_COUNTERS = ('step', 'iter', 'epoch')


class EmptyLogError(UserError, ValueError):
    """A folder has no scalars of a run."""


@dataclass(frozen=True)
class ScalarLog:
    """The curves of one training.

    Attributes:
        name: Name of the run.
        steps: Steps at which each scalar was logged, ascending, ``(N,)`` integers.
            Scores of validation are logged at epochs.
        values: The scalar there, ``(N,)`` floats, by the same names.
    """

    name: str
    steps: Mapping[str, np.ndarray]
    values: Mapping[str, np.ndarray]


def read_scalar_log(folder: str | Path) -> ScalarLog:
    """Read the scalars of a work folder: ``*/vis_data/scalars.json``.

    Each start of a run has a file. Where a resumed run has made steps again, its values
    are taken. A last line that a crash left unfinished is left out.

    Args:
        folder: The work folder.

    Raises:
        FileNotFoundError: There is no such folder.
        EmptyLogError: It has no scalars, or a file is none of them.

    Example:
        >>> path = Path('run/20260101_000000/vis_data/scalars.json')
        >>> path.parent.mkdir(parents=True)
        >>> _ = path.write_text('{"loss": 2.5, "step": 10}')
        >>> log = read_scalar_log('run')
        >>> log.steps['loss'].tolist(), log.values['loss'].tolist()
        ([10], [2.5])
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"'{folder}' is no folder: expected that of a run.")
    found: dict[str, dict[int, float]] = {}
    for path in sorted(folder.glob('*/vis_data/scalars.json')):
        _join(found, _read_lines(path))
    if not found:
        raise EmptyLogError(
            f"'{folder}' has no scalars: expected */vis_data/scalars.json with at "
            'least one line, as a training writes it every '
            'default_hooks.logger.interval steps.'
        )
    sorted_points = {k: dict(sorted(points.items())) for k, points in found.items()}
    return ScalarLog(
        folder.name,
        {k: np.array(list(points), int) for k, points in sorted_points.items()},
        {k: np.array(list(p.values()), float) for k, p in sorted_points.items()},
    )


def find_logs(folder: str | Path) -> list[ScalarLog]:
    """Read the logs of all seeds of a run.

    Args:
        folder: A work folder, or one with folders ``seed_*``, as ``--seeds`` makes it.

    Raises:
        FileNotFoundError: There is no such folder.
        EmptyLogError: There are no scalars.

    Example:
        >>> for seed in (0, 1):
        ...     path = Path(f'runs/seed_{seed}/2026/vis_data/scalars.json')
        ...     path.parent.mkdir(parents=True)
        ...     _ = path.write_text('{"loss": 2.5, "step": 10}')
        >>> [log.name for log in find_logs('runs')]
        ['seed_0', 'seed_1']
    """
    folder = Path(folder)
    seeds = sorted(
        (path for path in folder.glob('seed_*') if path.is_dir()),
        key=lambda path: (len(path.name), path.name),
    )
    return [read_scalar_log(path) for path in seeds or [folder]]


def shared_names(logs: Sequence[ScalarLog]) -> list[str]:
    """Return the scalars that all logs have, in the order of the first.

    Example:
        >>> first, second = dict.fromkeys(['loss', 'lr']), dict.fromkeys(['lr'])
        >>> shared_names([ScalarLog('a', {}, first), ScalarLog('b', {}, second)])
        ['lr']
    """
    return [k for k in logs[0].values if all(k in log.values for log in logs)]


def _read_lines(path: Path) -> list[dict[str, float]]:
    lines = path.read_text(encoding='utf-8').splitlines()
    records = []
    for number, line in enumerate(lines, 1):
        try:
            record = json.loads(line)
        except ValueError:
            record = None
        if isinstance(record, dict) and isinstance(record.get('step'), int):
            records.append(record)
        elif number < len(lines):
            raise EmptyLogError(
                f"'{path}', line {number}: expected a JSON object with 'step'; got "
                f'{line!r:.60}.'
            )
    return records


def _join(
    found: dict[str, dict[int, float]], records: Sequence[Mapping[str, float]]
) -> None:
    """Add the records of a later start, which replace what comes after its first."""
    first: dict[str, int] = {}
    for record in records:
        for name, value in record.items():
            if name in _COUNTERS or not isinstance(value, (int, float)):
                continue
            points = found.setdefault(name, {})
            step = int(record['step'])
            if name not in first:
                first[name] = step
                for old in [s for s in points if s >= step]:
                    del points[old]
            points[step] = float(value)

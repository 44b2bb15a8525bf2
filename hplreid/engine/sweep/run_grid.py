"""Run the trainings of a sweep that aren't done."""

import subprocess
from collections.abc import Callable, Iterator, Sequence

from hplreid.utils.user_error import UserError

from .grid import GridPoint

INTERRUPTED = 75  # exit code of a training that was stopped by a signal, and saved
_MISTAKE = 2  # of one whose config, say, is wrong


class SweepStopped(Exception):  # noqa: N818 (nothing is wrong)
    """A training was stopped by a signal; the sweep can go on later."""


class SweepError(UserError, RuntimeError):
    """A training of a sweep failed."""


class SweepMistakeError(SweepError):
    """A training failed for a mistake that others would make as well."""


def find_state(point: GridPoint) -> str:
    """Return how far a training is: ``'done'``, ``'begun'`` or ``'new'``.

    Example:
        >>> from pathlib import Path
        >>> point = GridPoint({'a': '1'}, 0, Path('sweep/a=1/seed_0'))
        >>> find_state(point)
        'new'
        >>> point.folder.mkdir(parents=True)
        >>> find_state(point)
        'begun'
        >>> _ = (point.folder / 'metrics.json').write_text('{}')
        >>> find_state(point)
        'done'
    """
    if (point.folder / 'metrics.json').is_file():
        return 'done'
    return 'begun' if point.folder.is_dir() else 'new'


def run_grid(
    points: Sequence[GridPoint],
    command: Callable[[GridPoint], Sequence[str]],
    say: Callable[[str], None] = print,
) -> None:
    """Run the trainings that aren't done, one after the other.

    Args:
        points: All trainings of the sweep.
        command: Returns the command line of a training; for one that was begun it
            should resume.
        say: Is given a line before each.

    Raises:
        SweepStopped: A training was stopped by a signal.
        SweepMistakeError: One has a mistake in its config, which ends the sweep.
        SweepError: One failed otherwise; the others are run first.

    Example:
        >>> from pathlib import Path
        >>> point = GridPoint({'a': '1'}, 0, Path('other/a=1/seed_0'))
        >>> run_grid([point], lambda point: ['true'])
        Training 1 of 1: a=1, seed 0 (new)
    """
    failed: list[str] = []
    error: type[SweepError] = SweepError
    for number, point in enumerate(points, 1):
        state = find_state(point)
        head = f'Training {number} of {len(points)}: {point.name}, seed {point.seed}'
        say(f'{head} ({state})')
        if state == 'done':
            continue
        code = subprocess.run(list(command(point))).returncode
        if code in (INTERRUPTED, 130, -2, -15):
            raise SweepStopped(f'{head} was stopped. The same command goes on.')
        if code:
            failed.append(f'{point.name}, seed {point.seed} (exit code {code})')
        if code == _MISTAKE:
            error = SweepMistakeError
            break  # the others would say the same
    if failed:
        raise error(
            f'Failed: {"; ".join(failed)}. Their messages are above. The same command '
            'tries again what is not done.'
        )


def done_points(points: Sequence[GridPoint]) -> Iterator[GridPoint]:
    """Yield the trainings that have scores.

    Example:
        >>> from pathlib import Path
        >>> list(done_points([GridPoint({'a': '1'}, 0, Path('nowhere'))]))
        []
    """
    return (point for point in points if find_state(point) == 'done')

"""Look for the values of the highest score: propose, train, tell, again."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from hplreid.utils.atomic_files import write_json
from hplreid.utils.user_error import UserError

from ..results.tables import ResultRow
from .grid import GridPoint, make_grid
from .proposal import import_optuna, propose_values
from .ranges import Space
from .run_grid import SweepError, SweepMistakeError, find_state, run_grid
from .summary import summarize_grid

TRIALS = 'trials.json'
"""File of a search: the values of its trials, in the order of their proposal."""


class SearchError(UserError, ValueError):
    """A search can't go on with what is in its folder, or has no such score."""


def read_trials(folder: str | Path, keys: Sequence[str]) -> list[dict[str, str]]:
    """Return the values that a search has proposed so far.

    Args:
        folder: Its folder.
        keys: The keys of its space.

    Raises:
        SearchError: The file is of a search over other keys, or damaged.

    Example:
        >>> read_trials('nowhere', ['tau'])
        []
    """
    path = Path(folder, TRIALS)
    if not path.is_file():
        return []
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
        known = [dict(values) for values in content['trials']]
    except (ValueError, TypeError, KeyError) as error:
        raise SearchError(
            f"'{path}' can't be read: expected its trials, as a search writes "
            'it. Without the file the search begins anew, in the same folders.'
        ) from error
    for values in known:
        if set(values) != set(keys):
            raise SearchError(
                f"'{path}' is of a search over {', '.join(values)}, not over "
                f'{", ".join(keys)}. Take another folder with --work-dir.'
            )
    return known


def trial_points(
    trials: Sequence[Mapping[str, str]], seeds: Sequence[int], folder: str | Path
) -> list[GridPoint]:
    """Return the trainings of trials, in the folders that a grid would have.

    Example:
        >>> points = trial_points([{'tau': '0.02'}] * 2, [0, 1], 'search')
        >>> [point.folder.as_posix() for point in points]
        ['search/tau=0.02/seed_0', 'search/tau=0.02/seed_1']
    """
    points = {
        point.folder: point
        for values in trials
        for point in make_grid({k: [v] for k, v in values.items()}, seeds, folder)
    }
    return list(points.values())  # the same values may have been proposed twice


def run_search(
    space: Space,
    num_trials: int,
    score: str,
    seeds: Sequence[int],
    folder: str | Path,
    command: Callable[[GridPoint], Sequence[str]],
    say: Callable[[str], None] = print,
) -> None:
    """Run trials until there are ``num_trials``, each with all seeds.

    What was proposed is in ``trials.json`` and what came of it in the folders of the
    trainings: the same call goes on after a stop. Given more trials, it adds some;
    given more seeds, it trains those of earlier trials first. A training that a grid
    has left in such a folder is not done again.

    Args:
        space: Where to look.
        num_trials: How many trials there shall be.
        score: The score, ``<benchmark>/<metric>``; its mean over seeds shall be high.
        seeds: The seeds.
        folder: Folder of the search.
        command: See :func:`.run_grid`.
        say: Is given a line before each trial and each training.

    Raises:
        MissingPackageError: Optuna isn't installed.
        SearchError: The folder is of another search, or trainings lack the score.
        SweepStopped: A training was stopped by a signal.
        SweepError: One failed. A mistake of the config ends the search at once; the
            optimizer is told of any other failure and goes on.

    Example:
        >>> run_search(
        ...     {'tau': Range('0.01', '0.1')}, 20, 'toy/R1', [0], 'search', command
        ... )  # doctest: +SKIP
    """
    import_optuna()
    trials = read_trials(folder, list(space))
    failures = []
    total = max(num_trials, len(trials))
    for number in range(total):
        if number == len(trials):
            told = [(v, trial_score(v, score, seeds, folder)) for v in trials]
            trials.append(propose_values(space, told, seed=number))
            write_json(Path(folder, TRIALS), {'trials': trials})
        points = trial_points(trials[number : number + 1], seeds, folder)
        if trial_score(trials[number], score, seeds, folder) is not None:
            continue
        say(f'Trial {number + 1} of {total}: {points[0].name}')
        try:
            run_grid(points, command, say)
        except SweepMistakeError:
            raise
        except SweepError as error:
            failures.append(str(error))
            say(f'{error} The search goes on.')
            continue
        found = trial_score(trials[number], score, seeds, folder)
        say(f'Trial {number + 1} of {total}: {score} {found:.2f}')
    if failures:
        raise SweepError(f'{len(failures)} trials failed: {" ".join(failures)}')


def trial_score(
    values: Mapping[str, str], score: str, seeds: Sequence[int], folder: str | Path
) -> float | None:
    """Return the mean of a score over the seeds of a trial, None if one isn't done.

    Raises:
        SearchError: The trainings have no such score.

    Example:
        >>> from hplreid.evaluation.files import write_scores
        >>> for seed, value in ((0, 50.0), (1, 54.0)):
        ...     path = f'search/tau=0.02/seed_{seed}/metrics.json'
        ...     write_scores(path, {'toy/R1': value}, {})
        >>> trial_score({'tau': '0.02'}, 'toy/R1', [0, 1], 'search')
        52.0
    """
    points = trial_points([values], seeds, folder)
    if any(find_state(point) != 'done' for point in points):
        return None
    (row,) = summarize_grid(points)
    if score not in row.scores:
        raise SearchError(
            f"'{points[0].folder}' has no score '{score}': expected one of "
            f'{", ".join(row.scores)}.'
        )
    return row.scores[score].mean


def best_row(rows: Sequence[ResultRow], score: str) -> ResultRow:
    """Return the row of the highest score; of equal ones, the first.

    Example:
        >>> from hplreid.engine.results.tables import Score
        >>> rows = [ResultRow(n, {'toy/R1': Score(v)}) for n, v in (('a', 2), ('b', 3))]
        >>> best_row(rows, 'toy/R1').name
        'b'
    """
    return max(rows, key=lambda row: row.scores[score].mean)

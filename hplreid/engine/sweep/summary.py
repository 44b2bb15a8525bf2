"""The scores of a sweep: means and spreads over seeds."""

from collections.abc import Sequence
from pathlib import Path

from ..results.tables import ResultRow, join_seeds, read_rows
from .grid import GridError, GridPoint
from .run_grid import done_points


def check_origin(points: Sequence[GridPoint], config: str | Path) -> None:
    """Check that what is done was trained by the config of the sweep.

    Raises:
        GridError: A training in the folder is of another config.

    Example:
        >>> from hplreid.engine.sweep import make_grid
        >>> check_origin(make_grid({'tau': ['1']}, [0], 'sweep'), 'configs/hpl.py')
    """
    for point in done_points(points):
        (row,) = read_rows(point.folder)
        if row.config and Path(row.config).name != Path(config).name:
            raise GridError(
                f"'{point.folder}' has a training by {row.config}, not by {config}. "
                'Take another folder with --work-dir.'
            )


def summarize_grid(points: Sequence[GridPoint]) -> list[ResultRow]:
    """Return a row for each combination of values that has a training done.

    Args:
        points: The trainings of a sweep.

    Returns:
        Rows named by their values, in the order of the sweep. Seeds that aren't done
        are left out; ``seeds`` of a row says how many it has.

    Raises:
        NoResultsError: Seeds have different scores.

    Example:
        >>> from hplreid.engine.sweep import make_grid
        >>> from hplreid.evaluation.files import write_scores
        >>> points = make_grid({'tau': ['1', '2']}, [0, 1], 'sweep')
        >>> for point, score in zip(points, (50.0, 54.0), strict=False):
        ...     write_scores(point.folder / 'metrics.json', {'toy/R1': score}, {})
        >>> [(row.name, str(row.scores['toy/R1'])) for row in summarize_grid(points)]
        [('tau=1', '52.00 ± 2.83')]
    """
    by_name: dict[str, list[ResultRow]] = {}
    for point in done_points(points):
        by_name.setdefault(point.name, []).extend(read_rows(point.folder, point.name))
    return [join_seeds(rows) for rows in by_name.values()]

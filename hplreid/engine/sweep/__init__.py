"""Many trainings of one config: which, where, in which order, and what came out.

``grid`` lists the trainings, ``run_grid`` starts those that aren't done, each in a
process of its own, ``summary`` joins their scores. ``search`` looks for the highest
score instead, at values that ``proposal`` chooses. Curves are drawn by
``hplreid.visualization``.
"""

from .grid import GridError, GridPoint, make_grid, parse_axes
from .proposal import propose_values
from .ranges import Range, corners, parse_space
from .run_grid import SweepStopped, find_state, run_grid
from .search import (
    SearchError,
    best_row,
    read_trials,
    run_search,
    trial_points,
    trial_score,
)
from .summary import check_origin, summarize_grid

__all__ = [
    'GridError',
    'GridPoint',
    'Range',
    'SearchError',
    'SweepStopped',
    'best_row',
    'check_origin',
    'corners',
    'find_state',
    'make_grid',
    'parse_axes',
    'parse_space',
    'propose_values',
    'read_trials',
    'run_grid',
    'run_search',
    'summarize_grid',
    'trial_points',
    'trial_score',
]

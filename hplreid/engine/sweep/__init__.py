"""Many trainings of one config: which, where, in which order, and what came out.

``grid`` lists the trainings, ``run_grid`` starts those that aren't done, each in a
process of its own, ``summary`` joins their scores. Curves are drawn by
``hplreid.visualization``.
"""

from .grid import GridError, GridPoint, make_grid, parse_axes
from .run_grid import SweepStopped, find_state, run_grid
from .summary import check_origin, summarize_grid

__all__ = [
    'GridError',
    'GridPoint',
    'SweepStopped',
    'check_origin',
    'find_state',
    'make_grid',
    'parse_axes',
    'run_grid',
    'summarize_grid',
]

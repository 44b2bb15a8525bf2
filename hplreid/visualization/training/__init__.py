"""Figures of a training: its curves, its loss terms, its learning rate.

``scalar_log`` reads what runs have logged; the other files draw. Schedules before a run
are simulated by ``hplreid.engine.loops.schedule_preview``.
"""

from .loss_shares import draw_loss_shares
from .scalar_log import EmptyLogError, ScalarLog, find_logs, read_scalar_log
from .schedule import StageSchedule, draw_schedule
from .search_plot import draw_search
from .sweep_curve import SweepPoint, draw_sweep
from .training_curves import draw_training_curves, mean_and_spread

__all__ = [
    'EmptyLogError',
    'ScalarLog',
    'StageSchedule',
    'SweepPoint',
    'draw_loss_shares',
    'draw_schedule',
    'draw_search',
    'draw_sweep',
    'draw_training_curves',
    'find_logs',
    'mean_and_spread',
    'read_scalar_log',
]

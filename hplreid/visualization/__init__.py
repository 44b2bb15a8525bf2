"""Drawings of what a model is given, what it finds and how it was trained.

Functions take results and return a figure, or an image. ``figures`` has the look of all
of them and writes them; ``training`` draws logs and schedules. The hook that draws
during a run lives in ``hplreid.engine.hooks``.
"""

from .figures import FigureError, save_figure
from .ranked_list import RankedListVisualizer, draw_ranked_list, draw_ranked_lists
from .run_visualizer import RunVisualizer
from .sample_sheet import SheetSample, Token, draw_sample_sheet
from .training import (
    ScalarLog,
    StageSchedule,
    draw_loss_shares,
    draw_schedule,
    draw_training_curves,
    find_logs,
    read_scalar_log,
)
from .verification_plot import draw_verification

__all__ = [
    'FigureError',
    'RankedListVisualizer',
    'RunVisualizer',
    'ScalarLog',
    'SheetSample',
    'StageSchedule',
    'Token',
    'draw_loss_shares',
    'draw_ranked_list',
    'draw_ranked_lists',
    'draw_sample_sheet',
    'draw_schedule',
    'draw_training_curves',
    'draw_verification',
    'find_logs',
    'read_scalar_log',
    'save_figure',
]

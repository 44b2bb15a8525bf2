"""Figures of what a model gets wrong.

What they show is computed in ``hplreid.evaluation.inspection``; the lists of the worst
queries are drawn by ``comparison``.
"""

from .confusions import draw_confusions
from .groups import draw_attribute, draw_camera_pairs, draw_groups
from .report import write_failure_report
from .score_curves import draw_score_curves
from .score_histogram import draw_score_histogram
from .suspects import draw_item_suspects, draw_pair_suspects
from .worst_queries import draw_worst_queries

__all__ = [
    'draw_attribute',
    'draw_camera_pairs',
    'draw_confusions',
    'draw_groups',
    'draw_item_suspects',
    'draw_pair_suspects',
    'draw_score_curves',
    'draw_score_histogram',
    'draw_worst_queries',
    'write_failure_report',
]

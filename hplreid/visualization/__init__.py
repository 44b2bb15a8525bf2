"""Drawings of what a model is given and what it finds.

Functions take results and return or write an image. The hook that draws during a run
lives in ``hplreid.engine.hooks``.
"""

from .ranked_list import RankedListVisualizer, draw_ranked_list, draw_ranked_lists
from .run_visualizer import RunVisualizer
from .sample_sheet import SheetSample, Token, draw_sample_sheet
from .verification_plot import draw_verification

__all__ = [
    'RankedListVisualizer',
    'RunVisualizer',
    'SheetSample',
    'Token',
    'draw_ranked_list',
    'draw_ranked_lists',
    'draw_sample_sheet',
    'draw_verification',
]

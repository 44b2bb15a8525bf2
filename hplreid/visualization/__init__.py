"""Images of what a model found, and of what it is given."""

from .ranked_list import RankedListVisualizer, draw_ranked_list, draw_ranked_lists
from .sample_sheet import SheetSample, Token, draw_sample_sheet
from .verification_plot import draw_verification

__all__ = [
    'RankedListVisualizer',
    'SheetSample',
    'Token',
    'draw_ranked_list',
    'draw_ranked_lists',
    'draw_sample_sheet',
    'draw_verification',
]

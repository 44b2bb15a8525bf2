"""Pictures of what a model found."""

from .ranked_list import RankedListVisualizer, draw_ranked_list, draw_ranked_lists

__all__ = ['RankedListVisualizer', 'draw_ranked_list', 'draw_ranked_lists']

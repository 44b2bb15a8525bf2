"""Ranked lists of several models for the same queries, one over the other.

``choose_queries`` says which queries, ``compare_lists`` ranks the gallery for them,
``stacked_lists`` draws.
"""

from .choose_queries import choose_queries
from .compare_lists import ComparedQuery, compare_lists, rank_queries
from .stacked_lists import draw_stacked_lists

__all__ = [
    'ComparedQuery',
    'choose_queries',
    'compare_lists',
    'draw_stacked_lists',
    'rank_queries',
]

"""Retrieval scores: pure functions, and thin registered metrics on them."""

from .metrics import RetrievalMetric
from .ranked_list import rank_gallery
from .ranking import evaluate_distances, evaluate_ranking
from .ranking_result import RankingResult
from .table import format_table

__all__ = [
    'RankingResult',
    'RetrievalMetric',
    'evaluate_distances',
    'evaluate_ranking',
    'format_table',
    'rank_gallery',
]

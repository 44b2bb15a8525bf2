"""mAP, mINP and CMC from features or distances, in the memory of one block.

The protocol (which gallery items count) and the distances live one level up; re-ranking
and verification have rooms of their own.
"""

from .evaluate_ranking import evaluate_distances, evaluate_ranking
from .nearest_gallery import rank_gallery
from .ranking_result import RankingResult
from .sharded_ranking import evaluate_sharded

__all__ = [
    'RankingResult',
    'evaluate_distances',
    'evaluate_ranking',
    'evaluate_sharded',
    'rank_gallery',
]

"""Retrieval scores as pure functions on features, and registered metrics on them.

The protocol (which items count), distances, threads and the table of scores stand here;
ranking, re-ranking, verification, statistics and files have rooms. Nothing here knows a
model or a dataset; drawings live in ``visualization``.
"""

from .files.array_file import ArrayFileError
from .files.feature_file import FeatureSet
from .files.per_query_file import PerQueryScores, find_differences
from .metrics import RetrievalMetric
from .ranking.evaluate_ranking import evaluate_distances, evaluate_ranking
from .ranking.nearest_gallery import rank_gallery
from .ranking.ranking_result import RankingResult
from .ranking.sharded_ranking import evaluate_sharded
from .rerank import (
    KReciprocalReranker,
    RerankSettings,
    evaluate_reranking,
    k_reciprocal_rerank,
)
from .rerank.query_expansion import augment_gallery, average_query_expansion
from .score_table import format_table, list_scores, list_ties
from .statistics.bootstrap import Interval, PairedTest, bootstrap_mean, compare_means
from .verification.open_set_report import OpenSetReport, open_set_report
from .verification.verification_report import VerificationReport, verification_report

__all__ = [
    'ArrayFileError',
    'FeatureSet',
    'Interval',
    'KReciprocalReranker',
    'OpenSetReport',
    'PairedTest',
    'PerQueryScores',
    'RankingResult',
    'RerankSettings',
    'RetrievalMetric',
    'VerificationReport',
    'augment_gallery',
    'average_query_expansion',
    'bootstrap_mean',
    'compare_means',
    'evaluate_distances',
    'evaluate_ranking',
    'evaluate_sharded',
    'evaluate_reranking',
    'find_differences',
    'format_table',
    'k_reciprocal_rerank',
    'list_scores',
    'list_ties',
    'open_set_report',
    'rank_gallery',
    'verification_report',
]

"""Retrieval scores: pure functions, and thin registered metrics on them."""

from .bootstrap import Interval, PairedTest, bootstrap_mean, compare_means
from .expansion import augment_gallery, average_query_expansion
from .feature_file import FeatureSet
from .metrics import RetrievalMetric
from .npz_file import ArrayFileError
from .open_set import OpenSetReport, open_set_report
from .per_query import PerQueryScores, find_differences
from .ranked_list import rank_gallery
from .ranking import evaluate_distances, evaluate_ranking
from .ranking_result import RankingResult
from .rerank import (
    KReciprocalReranker,
    RerankSettings,
    evaluate_reranking,
    k_reciprocal_rerank,
)
from .sharded import evaluate_sharded
from .table import format_table
from .verification import VerificationReport, verification_report
from .verification_plot import draw_verification

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
    'draw_verification',
    'evaluate_distances',
    'evaluate_ranking',
    'evaluate_sharded',
    'evaluate_reranking',
    'find_differences',
    'format_table',
    'k_reciprocal_rerank',
    'open_set_report',
    'rank_gallery',
    'verification_report',
]

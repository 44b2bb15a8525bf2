"""k-reciprocal re-ranking: exact, sparse, and fused with the scores."""

from .evaluate_reranking import evaluate_reranking
from .reranker import KReciprocalReranker, Nearest, k_reciprocal_rerank
from .settings import RerankSettings

__all__ = [
    'KReciprocalReranker',
    'Nearest',
    'RerankSettings',
    'evaluate_reranking',
    'k_reciprocal_rerank',
]

"""k-reciprocal re-ranking and query expansion: exact, sparse, fused with the scores.

No matrix of all distances is made. What is scored in the end is ranked in
``ranking``.
"""

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

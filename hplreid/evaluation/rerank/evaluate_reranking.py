"""Scores of a re-ranked gallery, without the distances ever being held."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor

from ..distance import Features, as_features, check_features, take_rows
from ..protocol import Protocol
from ..ranking.evaluate_ranking import evaluate_distances
from ..ranking.ranking_result import RankingResult
from .reranker import KReciprocalReranker


def evaluate_reranking(
    query_feats: Features,
    gallery_feats: Features,
    query_pids: ArrayLike | Tensor,
    gallery_pids: ArrayLike | Tensor,
    query_camids: ArrayLike | Tensor | None = None,
    gallery_camids: ArrayLike | Tensor | None = None,
    *,
    k1: int | None = None,
    k2: int | None = None,
    lambda_value: float | None = None,
    variant: str = 'original',
    distance: str = 'euclidean',
    topk: Sequence[int] = (1, 5, 10),
    ap: str = 'step',
    block_size: int = 512,
) -> RankingResult:
    """Score the re-ranked gallery of each query by blocks of queries.

    Memory is that of the sparse vectors and of one block, whatever Q is. Equally
    close items rank in the order of the gallery, and queries of which a match is
    exactly as close as a mismatch are counted. There is no ``ties='expected'``: also
    neighbors that tie are chosen in that order.

    Args:
        query_feats: As in :class:`KReciprocalReranker`, like the options.
        gallery_feats: ``(G, D)``. Items of identity -1 are dropped first, so they are
            nobody's neighbors. Cameras matter to the scores alone.
        query_pids: As in :func:`evaluate_ranking`, like what follows.
        gallery_pids: ``(G,)`` integers, -1 is junk.
        query_camids: ``(Q,)`` integers.
        gallery_camids: ``(G,)`` integers.
        k1: 20, or the variant's constant.
        k2: 6, or the variant's constant.
        lambda_value: 0.3.
        variant: ``'original'``, ``'transreid'``, ``'torchreid'`` or ``'fastreid'``.
        distance: ``'euclidean'`` (features as they are) or ``'cosine'`` (normalizes).
        topk: Cut-offs of the CMC, clipped to the gallery.
        ap: ``'step'`` or ``'trapezoid'``.
        block_size: Items at a time.

    Returns:
        Scores in percent.

    Raises:
        ValueError: An input is malformed, or no query has a match.

    Example:
        >>> import numpy as np
        >>> from hplreid.evaluation import evaluate_reranking
        >>> feats = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]])
        >>> evaluate_reranking(feats[:1], feats[1:], [7], [7, 3], k1=1, k2=1).r1
        100.0
    """
    query_feats = as_features('query_feats', query_feats)
    gallery_feats = as_features('gallery_feats', gallery_feats)
    protocol = Protocol(query_pids, gallery_pids, query_camids, gallery_camids)
    shape = (len(protocol.query_pids), protocol.num_given)
    if shape != (len(query_feats), len(gallery_feats)):
        raise ValueError(
            f'{len(query_feats)} query and {len(gallery_feats)} gallery features are '
            f'given, but {shape[0]} and {shape[1]} identities.'
        )
    rows, _, ignored = protocol.same_identity(0, shape[0])
    valid = np.unique(rows[~ignored])
    if not len(valid):
        raise ValueError(protocol.explain_no_match())
    dtype = check_features(query_feats, gallery_feats, distance)
    reranker = KReciprocalReranker(
        query_feats,
        take_rows(gallery_feats, protocol.kept, dtype),
        k1,
        k2,
        lambda_value,
        variant=variant,
        distance=distance,
        block_size=block_size,
    )
    cameras = protocol.query_camids
    parts = []
    for start in range(0, shape[0], block_size):
        some = valid[(valid >= start) & (valid < start + block_size)]
        if len(some):
            part = evaluate_distances(
                reranker.block(start, start + block_size)[some - start],
                protocol.query_pids[some],
                protocol.gallery_pids,
                None if cameras is None else cameras[some],
                protocol.gallery_camids,
                topk=topk,
                ap=ap,
                block_size=block_size,
            )
            parts.append(part)
    return _merge(parts, valid, shape[0])


def _merge(
    parts: list[RankingResult], valid: np.ndarray, num_queries: int
) -> RankingResult:
    """Join the results of valid queries to that of all."""
    ap, inp = np.full(num_queries, np.nan), np.full(num_queries, np.nan)
    first_hit = np.zeros(num_queries, np.int64)
    first_tie = np.zeros((num_queries, 4), np.int64)
    tied = np.zeros(num_queries, bool)
    first_tie[valid] = np.concatenate([p.first_tie for p in parts])
    tied[valid] = np.concatenate([p.is_tied() for p in parts])
    ap[valid] = np.concatenate([p.ap for p in parts])
    inp[valid] = np.concatenate([p.inp for p in parts])
    first_hit[valid] = np.concatenate([p.first_hit for p in parts])
    counts = [p.num_valid_queries for p in parts]
    return replace(
        parts[0],
        cmc=np.average([p.cmc for p in parts], axis=0, weights=counts),
        mean_ap=float(ap[valid].mean()),
        mean_inp=float(inp[valid].mean()),
        ap=ap,
        inp=inp,
        first_hit=first_hit,
        skipped_queries=np.setdiff1d(np.arange(num_queries), valid),
        tied_queries=np.flatnonzero(tied),
        first_tie=first_tie,
    )

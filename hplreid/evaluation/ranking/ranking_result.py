"""CMC, mAP and mINP from the ranks of matches."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..protocol import positions_in_row

AP_DEFINITIONS = ('step', 'trapezoid')


@dataclass(frozen=True)
class RankingResult:
    """Scores of an evaluation, in percent.

    Attributes:
        cmc: Cumulated matching characteristic, ``(K,)``: entry ``k - 1`` is the share
            of valid queries with a match among the first ``k``. ``K`` is the
            greatest of the ``topk`` asked for, at most the size of the gallery.
        topk: The cut-offs asked for, clipped to the gallery.
        mean_ap: Mean average precision.
        mean_inp: Mean inverse negative penalty: matches divided by the rank of
            the last one.
        ap: Average precision of each query, ``(Q,)``, NaN where skipped.
        ap_definition: ``'step'`` or ``'trapezoid'``, see :func:`precision_at`.
        inp: Inverse negative penalty of each query, ``(Q,)``, NaN where skipped.
        first_hit: Rank of the first match, from 1, ``(Q,)``; 0 where skipped.
        skipped_queries: Indices of queries without any match, ``(S,)``.
        num_gallery: Gallery items ranked, junk not among them.
    """

    cmc: np.ndarray
    topk: tuple[int, ...]
    mean_ap: float
    mean_inp: float
    ap: np.ndarray
    inp: np.ndarray
    first_hit: np.ndarray
    skipped_queries: np.ndarray
    num_gallery: int
    ap_definition: str = 'step'

    @property
    def num_skipped_queries(self) -> int:
        """Queries without any match; they don't enter the means."""
        return len(self.skipped_queries)

    @property
    def num_valid_queries(self) -> int:
        """Queries that enter the means."""
        return len(self.ap) - self.num_skipped_queries

    def rank_k(self, k: int) -> float:
        """Share of valid queries with a match among the first ``k``."""
        hits = self.first_hit[self.first_hit > 0]
        return float(np.mean(hits <= k) * 100)

    @property
    def r1(self) -> float:
        """Rank-1 accuracy."""
        return self.rank_k(1)

    @property
    def r5(self) -> float:
        """Rank-5 accuracy."""
        return self.rank_k(5)

    @property
    def r10(self) -> float:
        """Rank-10 accuracy."""
        return self.rank_k(10)


def summarize(
    rows: np.ndarray,
    ranks: np.ndarray,
    num_queries: int,
    num_gallery: int,
    topk: Sequence[int],
    ap_definition: str = 'step',
) -> RankingResult:
    """Compute the scores from the ranks of all matches.

    Args:
        rows: Query of each match, ``(P,)``, not empty.
        ranks: Its rank among the items that count for that query, from 1, ``(P,)``;
            ascending in a query.
        num_queries: Q.
        num_gallery: Gallery items, without junk.
        topk: Cut-offs of the CMC.
        ap_definition: ``'step'`` or ``'trapezoid'``.
    """
    order = np.argsort(rows, kind='stable')
    rows, ranks = rows[order], ranks[order]
    counts = np.bincount(rows, minlength=num_queries)
    valid = counts > 0
    precision = precision_at(positions_in_row(rows) + 1, ranks, ap_definition)
    last = np.cumsum(counts)[valid] - 1

    ap = np.full(num_queries, np.nan)
    ap[valid] = (np.bincount(rows, precision, num_queries)[valid] / counts[valid]) * 100
    inp = np.full(num_queries, np.nan)
    inp[valid] = counts[valid] / ranks[last] * 100
    first_hit = np.zeros(num_queries, dtype=np.int64)
    first_hit[valid] = ranks[last - counts[valid] + 1]

    clipped = tuple(dict.fromkeys(min(k, num_gallery) for k in topk))
    cutoffs = np.arange(1, max(clipped) + 1)
    hits = np.sort(first_hit[valid])
    cmc = np.searchsorted(hits, cutoffs, side='right') / len(hits) * 100
    return RankingResult(
        cmc=cmc,
        topk=clipped,
        mean_ap=float(ap[valid].mean()),
        mean_inp=float(inp[valid].mean()),
        ap=ap,
        inp=inp,
        first_hit=first_hit,
        skipped_queries=np.flatnonzero(~valid),
        num_gallery=num_gallery,
        ap_definition=ap_definition,
    )


def precision_at(hits: np.ndarray, ranks: np.ndarray, definition: str) -> np.ndarray:
    """Return the precision at each match, whose mean is average precision.

    ``'step'`` is the precision there, ``n / r`` for the n-th match at rank r:
    the definition of information retrieval and of nearly every paper since 2017.
    ``'trapezoid'`` is the mean of it and of the precision one rank earlier,
    ``(n - 1) / (r - 1)``, or 1 before the first rank: the area under straight lines,
    as Oxford Buildings defined it (Philbin et al., CVPR 2007, ``compute_ap``) and the
    code of Market-1501 took it over (Zheng et al., ICCV 2015). It is never higher.

    Args:
        hits: n, from 1, ``(P,)``.
        ranks: r, from 1, ``(P,)``.
        definition: ``'step'`` or ``'trapezoid'``.
    """
    precision = hits / ranks
    if definition == 'step':
        return precision
    earlier = np.where(ranks > 1, (hits - 1) / np.maximum(ranks - 1, 1), 1.0)
    return (precision + earlier) / 2

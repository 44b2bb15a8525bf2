"""CMC, mAP and mINP from the ranks of matches."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ..protocol import positions_in_row
from .precision import precision_at
from .ties import hit_chances, mean_inverse_ranks, mean_precisions


class MatchRanks(NamedTuple):
    """Where the matches of all queries stand; each ``(P,)``, ascending in a query.

    Attributes:
        rows: Query of each match.
        ranks: Its rank, from 1; of equally far items the earlier of the gallery is
            first.
        closer: Mismatches that are closer.
        tied: Mismatches that are exactly as far.
    """

    rows: np.ndarray
    ranks: np.ndarray
    closer: np.ndarray
    tied: np.ndarray


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
        first_hit: Rank of the first match, from 1, ``(Q,)``; 0 where skipped. Equally
            far items are in the order of the gallery, whatever ``ties``.
        skipped_queries: Indices of queries without any match, ``(S,)``.
        num_gallery: Gallery items ranked, junk not among them.
        ties: ``'order'``: equally far items rank in the order of the gallery;
            ``'expected'``: ``cmc``, ``ap``, ``inp`` and their means are means over all
            orders of them.
        tied_queries: Indices of queries of which a match is exactly as far as a
            mismatch, ``(T,)``. Their scores are by the order of the gallery.
        first_tie: Of the items as far as the first match: items that are closer, 0
            (matches that are), matches, mismatches; ``(Q, 4)``, zeros where skipped.
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
    ties: str = 'order'
    tied_queries: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    first_tie: np.ndarray = field(default_factory=lambda: np.empty((0, 4), np.int64))

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
        if self.ties == 'order':
            return float(np.mean(hits <= k) * 100)
        return float(_mean_cmc(hits, self.first_tie[self.first_hit > 0], k)[-1])

    @property
    def num_tied_queries(self) -> int:
        """Queries of which a match is exactly as far as a mismatch."""
        return len(self.tied_queries)

    def is_tied(self) -> np.ndarray:
        """Return which queries these are, ``(Q,)`` bool."""
        return np.isin(np.arange(len(self.ap)), self.tied_queries)

    def r1_range(self) -> tuple[float, float]:
        """Return the least and the greatest R1 that orders of the gallery give."""
        valid = self.first_tie[self.first_hit > 0]
        first = valid[:, 0] == 0
        alone = first & (valid[:, 3] == 0)
        return float(alone.mean() * 100), float(first.mean() * 100)

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
    found: MatchRanks,
    num_queries: int,
    num_gallery: int,
    topk: Sequence[int],
    ap_definition: str = 'step',
    ties: str = 'order',
) -> RankingResult:
    """Compute the scores from the ranks of all matches.

    Args:
        found: All matches, not empty.
        num_queries: Q.
        num_gallery: Gallery items, without junk.
        topk: Cut-offs of the CMC.
        ap_definition: ``'step'`` or ``'trapezoid'``.
        ties: ``'order'`` or ``'expected'``, see :class:`RankingResult`.
    """
    order = np.argsort(found.rows, kind='stable')
    found = MatchRanks(*(column[order] for column in found))
    rows, ranks = found.rows, found.ranks
    counts = np.bincount(rows, minlength=num_queries)
    valid = counts > 0
    precision = precision_at(positions_in_row(rows) + 1, ranks, ap_definition)
    last = np.cumsum(counts)[valid] - 1
    first = last - counts[valid] + 1
    inverse = counts[valid] / ranks[last]
    members = _find_ties(found)
    if ties == 'expected' and found.tied.any():
        tied = found.tied > 0  # the scores of all others stay, to the last bit
        precision[tied] = mean_precisions(members[tied], ap_definition)
        late = found.tied[last] > 0
        inverse[late] = counts[valid][late] * mean_inverse_ranks(members[last[late]])

    ap = np.full(num_queries, np.nan)
    ap[valid] = (np.bincount(rows, precision, num_queries)[valid] / counts[valid]) * 100
    inp = np.full(num_queries, np.nan)
    inp[valid] = inverse * 100
    first_hit = np.zeros(num_queries, dtype=np.int64)
    first_hit[valid] = ranks[first]
    first_tie = np.zeros((num_queries, 4), dtype=np.int64)
    first_tie[valid] = members[first]

    clipped = tuple(dict.fromkeys(min(k, num_gallery) for k in topk))
    cutoffs = np.arange(1, max(clipped) + 1)
    hits = np.sort(first_hit[valid])
    cmc = np.searchsorted(hits, cutoffs, side='right') / len(hits) * 100
    if ties == 'expected':
        cmc = _mean_cmc(first_hit[valid], first_tie[valid], len(cutoffs))
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
        ties=ties,
        tied_queries=np.unique(rows[found.tied > 0]),
        first_tie=first_tie,
    )


def _find_ties(found: MatchRanks) -> np.ndarray:
    """Return what each match is tied with, as :mod:`.ties` takes it, ``(P, 4)``.

    A match that no mismatch ties with is a tie of its own.
    """
    number = np.arange(len(found.rows))
    # Tied matches of a query with equally many closer mismatches are of one tie: the
    # next one has those of this one closer
    starts = np.ones(len(number), bool)
    columns = found.rows, found.closer, found.tied
    starts[1:] = (np.diff(columns) != 0).any(axis=0) | (found.tied[1:] == 0)
    first = np.maximum.accumulate(np.where(starts, number, 0))
    matches = np.bincount(first, minlength=len(number))[first]
    hits = positions_in_row(found.rows)[first]
    return np.stack([found.closer + hits, hits, matches, found.tied], axis=1)


def _mean_cmc(first_hit: np.ndarray, first_tie: np.ndarray, last: int) -> np.ndarray:
    """Return the mean over orders of the CMC, ``(last,)`` in percent."""
    tied = first_tie[:, 3] > 0
    certain = np.sort(first_hit[~tied])
    hits = np.searchsorted(certain, np.arange(1, last + 1), side='right')
    chances = hit_chances(first_tie[tied], last).sum(axis=0)
    return (hits + chances) / len(first_hit) * 100

"""Curves of a ranking: CMC, and precision over recall."""

from dataclasses import dataclass

import numpy as np

from ..files.feature_file import FeatureSet
from ..files.per_query_file import PerQueryScores
from ..statistics.curve_bootstrap import bootstrap_band
from ..verification.pair_distances import PairValues
from .scored_features import protocol_arguments


@dataclass(frozen=True)
class Curve:
    """A mean over queries at each of some points, with its interval.

    Attributes:
        points: Ranks, or recall in percent, ``(K,)``.
        mean: Percent, ``(K,)``.
        low: Lower end of the interval, ``(K,)``.
        high: Upper end, ``(K,)``.
    """

    points: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


def cmc_curve(scores: PerQueryScores, top: int = 20, confidence: float = 0.95) -> Curve:
    """Return the share of queries with a match among the first k, for each k.

    Args:
        scores: Scores of each query.
        top: The last k.
        confidence: Of the intervals, which draw identities anew.

    Raises:
        ValueError: Fewer than two identities count.

    Example:
        >>> import numpy as np
        >>> one = np.ones(2)
        >>> scores = PerQueryScores(
        ...     one, one, np.array([1, 3]), np.array([7, 8]), np.array(['a', 'b']), {}
        ... )
        >>> cmc_curve(scores, top=3).mean.tolist()
        [50.0, 50.0, 100.0]
    """
    ranks = np.arange(1, top + 1)
    counted = scores.first_hit > 0
    found = scores.scores([int(k) for k in ranks])
    hits = np.stack([found[f'R{k}'][counted] for k in ranks], axis=1)
    low, high = bootstrap_band(hits, scores.pids[counted], confidence=confidence)
    return Curve(ranks, hits.mean(axis=0), low, high)


def precision_recall_curve(
    features: FeatureSet, num_points: int = 101, confidence: float = 0.95
) -> Curve:
    """Return interpolated precision over recall, as means over queries.

    The precision of a query at a recall is the highest that it has at that recall or
    more, as in TREC's evaluation (Manning et al., Introduction to Information
    Retrieval, 8.4). The area below is not mAP, which doesn't interpolate.

    Args:
        features: Features, ranked by the protocol of their file.
        num_points: Points from recall 0 to 1, at least two.
        confidence: Of the intervals, which draw identities anew.

    Raises:
        ValueError: No query has a match, or fewer than two identities have.

    Example:
        >>> import numpy as np
        >>> pids = np.array([1, 2])
        >>> features = FeatureSet(np.eye(2), np.eye(2), pids, pids)
        >>> precision_recall_curve(features, num_points=3).mean.tolist()
        [100.0, 100.0, 100.0]
    """
    pairs = PairValues(**protocol_arguments(features))
    levels = np.linspace(0, 1, num_points)
    curves, pids, begin = [], [], 0
    for block in pairs.blocks():
        wanted = np.zeros(block.values.shape, dtype=bool)
        wanted[block.rows[~block.ignored], block.columns[~block.ignored]] = True
        left_out = block.rows[block.ignored], block.columns[block.ignored]
        block.values[left_out] = np.inf  # behind all that counts
        order = np.argsort(block.values, axis=1, kind='stable')
        hits = np.take_along_axis(wanted, order, axis=1)
        for row in np.flatnonzero(hits.any(axis=1)):
            ranks = np.flatnonzero(hits[row]) + 1
            found = np.arange(1, len(ranks) + 1)
            best = np.maximum.accumulate((found / ranks)[::-1])[::-1]
            # The first match at which the recall is reached
            needed = np.ceil(levels * len(ranks) - 1e-9).astype(int)
            curves.append(100 * best[np.maximum(needed, 1) - 1])
            pids.append(features.query_pids[begin + row])
        begin += len(block.values)
    if not curves:
        raise ValueError(pairs.protocol.explain_no_match())
    stacked = np.stack(curves)
    low, high = bootstrap_band(stacked, np.array(pids), confidence=confidence)
    return Curve(100 * levels, stacked.mean(axis=0), low, high)

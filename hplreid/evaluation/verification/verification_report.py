"""Verification: TAR at FAR, EER and thresholds from the scores of pairs.

Every number is exact at any size. The genuine pairs, few, are kept. The impostor pairs,
nearly all, are counted against them block by block and forgotten: what the curve of
true over false accepts is made of is how many impostors are closer than, or as close
as, each genuine pair.
"""

from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from ..distance import Features
from .pair_distances import (
    PairValues,
    as_json,
    as_limits,
    describe_acceptance,
    strictest_points,
)

_NUM_BINS = 200


@dataclass(frozen=True)
class VerificationReport:
    """What a threshold on the score of a pair does.

    A pair is accepted if its similarity is at least the threshold (``'cosine'``), or
    its distance at most (the others).

    Attributes:
        distance: Kind of the scores and thresholds.
        num_genuine: Pairs of one identity that count.
        num_impostor: Pairs of different identities.
        auc: Area under the curve of TAR over FAR, percent: the share of (genuine,
            impostor) couples with the genuine pair closer, ties counting half.
        eer: Equal error rate, percent: where the curve has FAR = 1 - TAR. Between two
            points of the curve it is a straight line, as for the AUC.
        eer_threshold: The genuine score next to it.
        fars: Limits of the false accept rate asked for, as shares, ``(L,)``.
        tars: Highest true accept rate within each limit, percent, ``(L,)``.
        thresholds: The strictest threshold that gives it, ``(L,)``; NaN where not one
            genuine pair is accepted within the limit.
        actual_fars: False accept rate there, a share, ``(L,)``. With fewer impostors
            than 1 / FAR it is 0: the limit is stricter than the data can show.
        roc: The curve at each different genuine score: FAR as a share and TAR in
            percent, ``(T, 2)``.
        bin_edges: Scores between which pairs were counted, ascending, ``(B + 1,)``.
        genuine_counts: Genuine pairs in each bin, ``(B,)``.
        impostor_counts: Impostor pairs in each bin, ``(B,)``.
    """

    distance: str
    num_genuine: int
    num_impostor: int
    auc: float
    eer: float
    eer_threshold: float
    fars: np.ndarray
    tars: np.ndarray
    thresholds: np.ndarray
    actual_fars: np.ndarray
    roc: np.ndarray
    bin_edges: np.ndarray
    genuine_counts: np.ndarray
    impostor_counts: np.ndarray

    def scores(self) -> dict[str, float]:
        """Return the scores that belong in a table, by name, in percent."""
        tars = {
            f'TAR@FAR={far:.0e}': float(tar)
            for far, tar in zip(self.fars, self.tars, strict=True)
        }
        return {'AUC': self.auc, 'EER': self.eer, **tars}

    def operating_points(self) -> dict[str, Any]:
        """Return thresholds with what they do, in values that JSON can hold.

        Every ``FAR`` is a share, as the limits are. A threshold is None where not one
        genuine pair is accepted within the limit.
        """
        points = zip(
            self.fars, self.actual_fars, self.tars, self.thresholds, strict=True
        )
        return {
            'distance': self.distance,
            'accepted': describe_acceptance(self.distance),
            'genuine pairs': self.num_genuine,
            'impostor pairs': self.num_impostor,
            'EER, %': self.eer,
            'EER threshold': self.eer_threshold,
            'points': [
                {
                    'FAR at most': float(limit),
                    'FAR': float(far),
                    'TAR, %': float(tar),
                    'threshold': as_json(threshold),
                }
                for limit, far, tar, threshold in points
            ],
        }


def verification_report(
    query_feats: Features,
    gallery_feats: Features,
    query_pids: ArrayLike | Tensor,
    gallery_pids: ArrayLike | Tensor,
    query_camids: ArrayLike | Tensor | None = None,
    gallery_camids: ArrayLike | Tensor | None = None,
    *,
    distance: str = 'cosine',
    fars: Sequence[float] = (1e-1, 1e-2, 1e-3, 1e-4),
    block_size: int = 256,
) -> VerificationReport:
    """Score each pair of a query and a gallery item as a claim of one identity.

    The pairs are those that a ranking compares: gallery items of identity -1 are
    dropped, and with cameras, pairs of one identity and one camera are left out. The
    products are computed twice: once to know the genuine scores, once to count.
    Counting is done on the CPU.

    Args:
        query_feats: ``(Q, D)``, array or tensor on any device.
        gallery_feats: ``(G, D)``.
        query_pids: Identities, ``(Q,)`` integers.
        gallery_pids: Identities, ``(G,)`` integers, -1 is junk.
        query_camids: Cameras, ``(Q,)`` integers.
        gallery_camids: Cameras, ``(G,)`` integers.
        distance: ``'cosine'`` (normalizes), ``'euclidean'`` or ``'sqeuclidean'``.
        fars: Limits of the false accept rate, as shares.
        block_size: Queries at a time: memory is one block of ``block_size * G`` values
            and a few numbers for each genuine pair.

    Raises:
        ValueError: An input is malformed, or there are no genuine or no impostor pairs.

    Example:
        >>> import numpy as np
        >>> from hplreid.evaluation import verification_report
        >>> feats = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]])
        >>> report = verification_report(feats[:1], feats[1:], [7], [7, 3], fars=[0.1])
        >>> report.eer
        0.0
    """
    limits = as_limits('fars', fars)
    pairs = PairValues(
        query_feats,
        gallery_feats,
        query_pids,
        gallery_pids,
        query_camids,
        gallery_camids,
        distance=distance,
        block_size=block_size,
    )
    genuine, num_impostor, farthest = _first_pass(pairs)
    levels, counts = np.unique(genuine, return_counts=True)
    edges = _bin_edges(pairs, farthest)
    bounds = _to_values(edges, distance)
    below, upto, impostors = _count_impostors(pairs, levels, bounds)
    tar = np.cumsum(counts) / len(genuine) * 100
    index, actual = strictest_points(upto, num_impostor, limits)
    closer = num_impostor - upto + (upto - below) / 2
    eer, eer_index = _equal_error(below, upto, tar, num_impostor)
    thresholds = pairs.to_scores(levels).astype(float)
    histogram = _between(np.sort(genuine), bounds)
    if distance == 'cosine':  # values run against scores
        histogram, impostors = histogram[::-1], impostors[::-1]
    return VerificationReport(
        distance=distance,
        num_genuine=len(genuine),
        num_impostor=num_impostor,
        auc=float((counts * closer).sum() / (len(genuine) * num_impostor) * 100),
        eer=eer,
        eer_threshold=float(thresholds[eer_index]),
        fars=limits,
        tars=np.append(tar, 0.0)[index],
        thresholds=np.append(thresholds, np.nan)[index],
        actual_fars=actual,
        roc=np.stack([upto / num_impostor, tar], axis=1),
        bin_edges=edges,
        genuine_counts=histogram,
        impostor_counts=impostors,
    )


def _first_pass(pairs: PairValues) -> tuple[np.ndarray, int, float]:
    """Return the genuine values, the number of impostors and the largest value."""
    genuine, num_impostor, farthest = [], 0, 0.0
    for block in pairs.blocks():
        genuine.append(block.genuine())
        num_impostor += block.values.size - len(block.rows)
        farthest = max(farthest, float(block.values.max()))
    values = np.concatenate(genuine)
    if not len(values):
        raise ValueError(pairs.protocol.explain_no_match())
    if not num_impostor:
        raise ValueError(
            'Every gallery item is of the identity of every query: there is no '
            'impostor pair to tell apart.'
        )
    return values, num_impostor, farthest


def _bin_edges(pairs: PairValues, farthest: float) -> np.ndarray:
    if pairs.distance == 'cosine':
        return np.linspace(-1, 1, _NUM_BINS + 1)
    top = float(pairs.to_scores(np.array(farthest))) or 1.0  # all may be one point
    return np.linspace(0, top, _NUM_BINS + 1)


def _to_values(edges: np.ndarray, distance: str) -> np.ndarray:
    """Return the edges on the scale of values, ascending, open at both ends."""
    if distance == 'cosine':
        values = -edges[::-1]
    else:
        values = edges**2 if distance == 'euclidean' else edges.copy()
    values[0], values[-1] = -np.inf, np.inf
    return values


def _count_impostors(
    pairs: PairValues, levels: np.ndarray, bounds: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Count impostors closer than each level, at most as far, and in each bin."""
    below = np.zeros(len(levels), np.int64)
    upto = np.zeros(len(levels), np.int64)
    histogram = np.zeros(len(bounds) - 1, np.int64)
    with ThreadPoolExecutor(max(1, torch.get_num_threads())) as pool:
        for block in pairs.blocks():
            # Sorted behind all impostors, which are finite
            block.values[block.rows, block.columns] = np.inf
            for ascending in _sort_parts(block.values, pool):
                below += ascending.searchsorted(levels)
                upto += ascending.searchsorted(levels, side='right')
                histogram += _between(ascending, bounds)
    return below, upto, histogram


def _sort_parts(values: np.ndarray, pool: Executor) -> list[np.ndarray]:
    """Sort a block in place, in one part for each thread; drop infinity."""

    def ascending(part: np.ndarray) -> np.ndarray:
        part.sort()
        return part[: part.searchsorted(np.inf)]

    parts = np.array_split(values.reshape(-1), torch.get_num_threads())
    return list(pool.map(ascending, parts))


def _between(ascending: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    places = ascending.searchsorted(bounds)
    places[-1] = len(ascending)
    return np.diff(places)


def _equal_error(
    below: np.ndarray, upto: np.ndarray, tar: np.ndarray, num_impostor: int
) -> tuple[float, int]:
    """Return where the curve crosses FAR = 1 - TAR, in percent, and at which level.

    Up to a level the curve goes along impostors alone, at its last TAR; over a level it
    goes straight to the next TAR, and aside where impostors tie.
    """
    far = np.stack([below, upto], axis=1).reshape(-1) / num_impostor * 100
    far = np.concatenate([[0.0], far, [100.0]])
    tar = np.concatenate([[0.0, 0.0], np.repeat(tar, 2)])
    excess = far + tar - 100
    end = int(np.argmax(excess >= 0))
    step = excess[end] - excess[end - 1]
    share = -excess[end - 1] / step
    eer = far[end - 1] + share * (far[end] - far[end - 1])
    return float(eer), max((end - 2) // 2, 0)

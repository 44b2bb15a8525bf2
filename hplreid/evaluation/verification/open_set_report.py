"""Open-set search, where some queries have no match: FPIR and FNIR.

The terms are those of NIST's Face Recognition Technology Evaluation, 1:N
(https://pages.nist.gov/frvt/html/frvt1N.html). A search is *mated* if the gallery holds
its person, *non-mated* if not. At a threshold T:

* FPIR, false positive identification rate: share of non-mated searches that return
  anybody, that is, whose nearest gallery item is as close as T;
* FNIR, false negative identification rate: share of mated searches whose person is not
  returned, that is, whose nearest match is farther than T or (with ``rank``)
  comes after more than ``rank - 1`` items of others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from ..distance import Features
from ..protocol import JUNK_PID
from .pair_distances import (
    PairBlock,
    PairValues,
    as_json,
    as_limits,
    describe_acceptance,
    strictest_points,
)


@dataclass(frozen=True)
class OpenSetReport:
    """FNIR at limits of FPIR.

    Attributes:
        distance: Kind of the thresholds, accepted as in :class:`VerificationReport`.
        num_mated: Searches whose person is in the gallery.
        num_nonmated: Searches whose person is not.
        rank: See :func:`open_set_report`.
        fpirs: Limits asked for, as shares, ``(L,)``.
        fnirs: Lowest FNIR within each limit, percent, ``(L,)``.
        thresholds: The strictest threshold that gives it, ``(L,)``; NaN where none
            finds anybody.
        actual_fpirs: FPIR there, a share, ``(L,)``.
    """

    distance: str
    num_mated: int
    num_nonmated: int
    rank: int | None
    fpirs: np.ndarray
    fnirs: np.ndarray
    thresholds: np.ndarray
    actual_fpirs: np.ndarray

    def scores(self) -> dict[str, float]:
        """Return the scores that belong in a table, by name, in percent."""
        return {
            f'FNIR@FPIR={fpir:g}': float(fnir)
            for fpir, fnir in zip(self.fpirs, self.fnirs, strict=True)
        }

    def operating_points(self) -> dict[str, Any]:
        """Return thresholds with what they do, in values that JSON can hold.

        Every ``FPIR`` is a share, as the limits are. A threshold is None where it finds
        nobody.
        """
        points = zip(
            self.fpirs, self.actual_fpirs, self.fnirs, self.thresholds, strict=True
        )
        return {
            'distance': self.distance,
            'accepted': describe_acceptance(self.distance),
            'mated searches': self.num_mated,
            'non-mated searches': self.num_nonmated,
            'points': [
                {
                    'FPIR at most': float(limit),
                    'FPIR': float(fpir),
                    'FNIR, %': float(fnir),
                    'threshold': as_json(threshold),
                }
                for limit, fpir, fnir, threshold in points
            ],
        }


def open_set_report(
    query_feats: Features,
    gallery_feats: Features,
    query_pids: ArrayLike | Tensor,
    gallery_pids: ArrayLike | Tensor,
    query_camids: ArrayLike | Tensor | None = None,
    gallery_camids: ArrayLike | Tensor | None = None,
    *,
    distance: str = 'cosine',
    fpirs: Sequence[float] = (0.3, 0.1, 0.03, 0.01),
    rank: int | None = None,
    absent: float = 0.0,
    seed: int = 0,
    block_size: int = 256,
) -> OpenSetReport:
    """Score the search for people some of whom are not in the gallery.

    What the protocol leaves out of a query's gallery (junk; with cameras, images of
    its identity and camera) is not in it: a query with no other match is a
    non-mated search. The benchmarks of re-identification have none or few of these, so
    ``absent`` can take people out of the gallery.

    Args:
        query_feats: As in :func:`verification_report`, like all up to ``distance``.
        gallery_feats: ``(G, D)``.
        query_pids: ``(Q,)`` integers.
        gallery_pids: ``(G,)`` integers, -1 is junk.
        query_camids: ``(Q,)`` integers.
        gallery_camids: ``(G,)`` integers.
        distance: ``'cosine'``, ``'euclidean'`` or ``'sqeuclidean'``.
        fpirs: Limits of the FPIR, as shares.
        rank: How far down the list the person may come, from 1; None for any place.
        absent: Share of the queries' identities that are taken out of the gallery, in
            [0, 1), drawn by ``seed``.
        seed: Of that draw.
        block_size: Queries at a time; memory is one block.

    Raises:
        ValueError: An input is malformed, or all searches are mated, or none is.

    Example:
        >>> import numpy as np
        >>> from hplreid.evaluation import open_set_report
        >>> feats = np.array([[1.0, 0.0], [0.0, 1.0], [0.9, 0.1]])
        >>> report = open_set_report(feats[:2], feats[2:], [7, 3], [7], fpirs=[0.5])
        >>> report.fnirs.tolist(), report.num_mated, report.num_nonmated
        ([0.0], 1, 1)
    """
    limits = as_limits('fpirs', fpirs)
    if rank is not None and rank < 1:
        raise ValueError(f'rank must be at least 1, or None; got {rank}.')
    if not 0 <= absent < 1:
        raise ValueError(f'absent must be a share from 0 up to 1; got {absent}.')
    if absent:
        gallery_pids = _take_out(query_pids, gallery_pids, absent, seed)
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
    nearest = [_nearest(block) for block in pairs.blocks()]
    mate, other, before = (np.concatenate(c) for c in zip(*nearest, strict=True))
    mated = np.isfinite(mate)
    if mated.all() or not mated.any():
        raise ValueError(
            f'{mated.sum()} of {len(mated)} queries have a match in the '
            'gallery; an open set needs some with and some without. absent=0.5 takes '
            "half of the queries' identities out of the gallery."
        )
    found = mate[mated & (before < (rank or np.inf))]
    levels, counts = np.unique(found, return_counts=True)
    accepted = np.sort(other[~mated]).searchsorted(levels, side='right')
    index, actual = strictest_points(accepted, int((~mated).sum()), limits)
    fnir = 100 - np.cumsum(counts) / mated.sum() * 100
    thresholds = pairs.to_scores(levels).astype(float)
    return OpenSetReport(
        distance=distance,
        num_mated=int(mated.sum()),
        num_nonmated=int((~mated).sum()),
        rank=rank,
        fpirs=limits,
        fnirs=np.append(fnir, 100.0)[index],
        thresholds=np.append(thresholds, np.nan)[index],
        actual_fpirs=actual,
    )


def _take_out(
    query_pids: ArrayLike | Tensor,
    gallery_pids: ArrayLike | Tensor,
    share: float,
    seed: int,
) -> np.ndarray:
    """Return the gallery's identities with some of the queries' made junk."""
    gallery = torch.as_tensor(gallery_pids).cpu().numpy().copy()
    present = np.intersect1d(torch.as_tensor(query_pids).cpu().numpy(), gallery)
    present = present[present != JUNK_PID]
    chosen = np.random.default_rng(seed).permutation(present)
    gallery[np.isin(gallery, chosen[: round(share * len(present))])] = JUNK_PID
    return gallery


def _nearest(block: PairBlock) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the nearest mate and other of each query, and how many come before.

    Returns:
        Value of the nearest match, infinity for none; value of the nearest item
        of another identity, infinity for none; number of the latter that are closer
        than the match; ``(B,)`` each.
    """
    values = block.values
    mate = np.full(len(values), np.inf, values.dtype)
    np.minimum.at(mate, block.rows[~block.ignored], block.genuine())
    values[block.rows, block.columns] = np.inf
    before = (values < mate[:, None]).sum(1)
    return mate, values.min(1), before

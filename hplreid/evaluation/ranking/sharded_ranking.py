"""Retrieval scores of a gallery that several processes share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

import numpy as np
import torch
from mmengine.dist import all_gather_object, all_reduce, get_rank
from numpy.typing import ArrayLike
from torch import Tensor

from ..distance import Features, as_features, device_of, dtype_of
from ..protocol import JUNK_PID, Protocol, as_integers
from ..threads import full_precision, num_workers, parallel_map
from .distance_sources import FeatureSource
from .evaluate_ranking import check_options, count_all, measure_all, summarize_groups
from .query_groups import make_groups
from .ranking_result import RankingResult

_T = TypeVar('_T')


@torch.no_grad()
def evaluate_sharded(
    query_feats: Features,
    gallery_feats: Features,
    query_pids: ArrayLike | Tensor,
    gallery_pids: ArrayLike | Tensor,
    query_camids: ArrayLike | Tensor | None = None,
    gallery_camids: ArrayLike | Tensor | None = None,
    *,
    distance: str = 'cosine',
    topk: Sequence[int] = (1, 5, 10),
    ap: str = 'step',
    ties: str = 'order',
    block_size: int = 2048,
    gallery_block_size: int = 16128,
) -> RankingResult:
    """Score as :func:`evaluate_ranking` does, each process with a part of the gallery.

    Every process calls it, with all queries, in one order, and its own part. The
    gallery is the parts one after the other, by rank, and so are ties. Features stay
    where they are: processes exchange identities, the values of matches, and
    counts. Without a process group it is :func:`evaluate_ranking`.

    Args:
        query_feats: ``(Q, D)``, the same everywhere.
        gallery_feats: ``(G_rank, D)``; a part may be empty, ``(0, D)``.
        query_pids: As in :func:`evaluate_ranking`, like all that follows.
        gallery_pids: ``(G_rank,)`` integers, -1 is junk.
        query_camids: ``(Q,)`` integers.
        gallery_camids: ``(G_rank,)`` integers.
        distance: ``'cosine'``, ``'euclidean'`` or ``'sqeuclidean'``.
        topk: Cut-offs of the CMC, clipped to the whole gallery.
        ap: ``'step'`` or ``'trapezoid'``.
        ties: ``'order'`` or ``'expected'``.
        block_size: Queries at a time, at most.
        gallery_block_size: Gallery items read and normalized at a time.

    Returns:
        Scores in percent, the same on every process.

    Raises:
        ValueError: On every process, if on any: an input is malformed, or no query has
            a match.

    Example:
        >>> import numpy as np
        >>> from hplreid.evaluation import evaluate_sharded
        >>> gallery = np.array([[1.0, 0.1], [0.0, 1.0]])
        >>> evaluate_sharded(np.array([[1.0, 0.0]]), gallery, [7], [7, 3]).r1
        100.0
    """
    check_options(topk, ap, ties, block_size, gallery_block_size)
    same = distance, tuple(topk), ap, ties, block_size
    query_feats = _together(lambda: as_features('query_feats', query_feats))
    gallery_feats = _together(lambda: as_features('gallery_feats', gallery_feats))
    part = _together(
        lambda: _Part.make(query_feats, gallery_feats, gallery_pids, gallery_camids)
    )
    queries = _together(lambda: _queries(query_feats, query_pids, query_camids))
    parts: list[_Part] = all_gather_object(part)
    _check_same(all_gather_object((part.dtype, same, *queries)))
    protocol = _together(
        lambda: Protocol(
            query_pids,
            np.concatenate([p.pids for p in parts]),
            query_camids,
            _concatenate_cameras(parts),
        )
    )
    kept = [np.flatnonzero(p.pids != JUNK_PID) for p in parts]
    rank = get_rank()
    offset = sum(len(k) for k in kept[:rank])
    owned = offset, offset + len(kept[rank])
    groups = make_groups(protocol, block_size)
    device = device_of(query_feats)
    workers = num_workers(device, len(protocol.query_pids) * len(kept[rank]))

    def measure_own() -> tuple[FeatureSource, list] | None:
        if not len(kept[rank]):
            return None
        with full_precision(device), parallel_map(workers) as run:
            source = FeatureSource(
                query_feats,
                gallery_feats,
                kept[rank],
                distance,
                gallery_block_size,
                offset,
                run,
            )
            return source, measure_all(source, groups, owned, run)

    def count_own() -> None:
        if own is not None:
            source, factors = own
            with full_precision(device), parallel_map(workers) as run:
                count_all(source, groups, factors, owned, gallery_block_size, run)

    for group in groups:
        group.values = np.zeros_like(group.values)
    own = _together(measure_own)
    for group, values in zip(
        groups, _sum_up([group.values for group in groups]), strict=True
    ):
        group.set_values(values)
    _together(count_own)
    for group, closer in zip(
        groups, _sum_up([group.closer for group in groups]), strict=True
    ):
        group.closer = closer
    # Nearly always there are none, on any process
    if any(all_gather_object(any(group.tied.any() for group in groups))):
        for group, tied in zip(
            groups, _sum_up([group.tied for group in groups]), strict=True
        ):
            group.tied = tied
    return summarize_groups(groups, protocol, topk, ap, ties)


@dataclass(frozen=True)
class _Part:
    """The identities and cameras of a process's part of the gallery."""

    pids: np.ndarray
    camids: np.ndarray | None
    dtype: str

    @classmethod
    def make(
        cls,
        query_feats: Features,
        gallery_feats: Features,
        pids: ArrayLike | Tensor,
        camids: ArrayLike | Tensor | None,
    ) -> '_Part':
        pids = as_integers('gallery_pids', pids, len(gallery_feats))
        if camids is not None:
            camids = as_integers('gallery_camids', camids, len(pids))
        dtype = str(dtype_of(query_feats, gallery_feats)).removeprefix('torch.')
        return cls(pids, camids, dtype)


def _queries(
    feats: Features, pids: ArrayLike | Tensor, camids: ArrayLike | Tensor | None
) -> tuple[list[int], list[int] | None]:
    pids = as_integers('query_pids', pids, len(feats))
    if camids is None:
        return pids.tolist(), None
    return pids.tolist(), as_integers('query_camids', camids, len(pids)).tolist()


def _concatenate_cameras(parts: 'list[_Part]') -> np.ndarray | None:
    camids = [part.camids for part in parts if part.camids is not None]
    if camids and len(camids) < len(parts):
        raise ValueError('gallery_camids are given on some processes, not on all.')
    return np.concatenate(camids) if camids else None


def _check_same(settings: list) -> None:
    for rank, other in enumerate(settings):
        if other != settings[0]:
            raise ValueError(
                f'Processes 0 and {rank} differ in the type of the features, the '
                'queries or the options: these must be the same everywhere.'
            )


def _together(work: Callable[[], _T]) -> _T:
    """Run a function; if it fails on one process, raise on all."""
    result, fault = None, None
    try:
        result = work()
    except (ValueError, TypeError) as error:
        fault = type(error) is TypeError, str(error)
    faults = all_gather_object(fault)
    for rank, found in enumerate(faults):
        if found is not None:
            is_type, message = found
            where = f'Process {rank}: ' if len(faults) > 1 else ''
            raise (TypeError if is_type else ValueError)(where + message)
    return cast(_T, result)


def _sum_up(tables: list[np.ndarray]) -> list[np.ndarray]:
    """Add tables over processes, in one exchange."""
    total = torch.from_numpy(np.concatenate([table.ravel() for table in tables]))
    all_reduce(total)
    ends = np.cumsum([table.size for table in tables])[:-1]
    return [
        flat.reshape(table.shape)
        for flat, table in zip(np.split(total.numpy(), ends), tables, strict=True)
    ]

"""Ranked lists: the nearest gallery items of a few queries."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from hplreid.structures.ranked_list import Mark, RankedItem, RankedList

from ..distance import as_features, dtype_of, take_rows
from ..k_smallest import nearest
from ..protocol import JUNK_PID
from ..threads import full_precision
from .distance_sources import FeatureSource


def spread_evenly(total: int, count: int) -> list[int]:
    """Choose ``count`` of ``total`` positions, evenly spread from first to last."""
    if count >= total:
        return list(range(total))
    return [round(i * (total - 1) / max(count - 1, 1)) for i in range(count)]


@torch.no_grad()
def rank_gallery(
    query_feats: Tensor,
    gallery_feats: Tensor,
    query: Sequence[RankedItem],
    gallery: Sequence[RankedItem],
    *,
    distance: str = 'cosine',
    drop_same_camera: bool,
    num_queries: int,
    topk: int,
) -> list[RankedList]:
    """List the nearest gallery items of some queries, evenly spread over all.

    Items that the protocol leaves out are listed too, and marked.

    Args:
        query_feats: ``(Q, D)``.
        gallery_feats: ``(G, D)``.
        query: Q items.
        gallery: G items.
        distance: As in :func:`evaluate_ranking`.
        drop_same_camera: Whether images of the query's identity and camera are
            ignored.
        num_queries: How many queries; all, if there are fewer.
        topk: How many gallery items for each; all, if there are fewer.

    Returns:
        One list a query.

    Example:
        >>> import torch
        >>> from hplreid.evaluation import rank_gallery
        >>> from hplreid.structures.ranked_list import RankedItem
        >>> query = [RankedItem('q.jpg', None, pid=7, camid=0)]
        >>> gallery = [RankedItem(f'{p}.jpg', None, p, 1) for p in (3, 7)]
        >>> feats = torch.tensor([[0.0, 1.0], [0.9, 0.1]])
        >>> (found,) = rank_gallery(
        ...     torch.tensor([[1.0, 0.1]]), feats, query, gallery,
        ...     drop_same_camera=True, num_queries=1, topk=2,
        ... )
        >>> [item.pid for item in found.items], found.marks
        ([7, 3], ('match', 'mismatch'))
    """
    query_feats = torch.as_tensor(as_features('query_feats', query_feats))
    gallery_feats = torch.as_tensor(as_features('gallery_feats', gallery_feats))
    rows = spread_evenly(len(query), num_queries)
    listed, scores = _nearest(query_feats[rows], gallery_feats, distance, topk)
    return [
        RankedList(
            query=query[row],
            items=tuple(gallery[i] for i in indices),
            scores=tuple(values),
            marks=tuple(
                _mark(query[row], gallery[i], drop_same_camera) for i in indices
            ),
        )
        for row, indices, values in zip(
            rows, listed.tolist(), scores.tolist(), strict=True
        )
    ]


def _nearest(
    query: Tensor, gallery: Tensor, distance: str, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return columns and scores of the k nearest as a ranking orders them, ``(B, k)``.

    What a product's rounding can't decide is decided pair by pair.
    """
    every = np.arange(len(gallery))
    k = min(k, len(every))
    source = FeatureSource(query, gallery, every, distance, len(every))
    with full_precision(source.device):
        factors = source.queries(np.arange(len(query))), source.gallery(every)

        def pairs(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
            return source.exact(*factors, rows, columns)

        def whole() -> Tensor:
            places = np.indices((len(query), len(every))).reshape(2, -1)
            return torch.from_numpy(pairs(*places).reshape(len(query), -1))

        tile, margins = source.tile(*factors), source.margins(*factors)
        columns = nearest(tile, k, margins, pairs, whole)
    if distance == 'cosine':
        rows = np.repeat(np.arange(len(query)), k)
        return columns, -pairs(rows, columns.reshape(-1)).reshape(columns.shape)
    squares = _squares(query, gallery, columns)
    return columns, squares if distance == 'sqeuclidean' else np.sqrt(squares)


def _squares(query: Tensor, gallery: Tensor, columns: np.ndarray) -> np.ndarray:
    """Return squared distances of the listed items, ``(B, k)`` float64."""
    dtype = dtype_of(query, gallery)
    listed = take_rows(gallery, columns.reshape(-1), dtype).double().cpu().numpy()
    own = take_rows(query, None, dtype).double().cpu().numpy()
    differences = own[:, None] - listed.reshape(*columns.shape, -1)
    return np.square(differences).sum(axis=2)


def _mark(query: RankedItem, item: RankedItem, drop_same_camera: bool) -> Mark:
    if item.pid == JUNK_PID:
        return 'ignored'
    if item.pid != query.pid:
        return 'mismatch'
    return 'ignored' if drop_same_camera and item.camid == query.camid else 'match'

"""Ranked lists: the nearest gallery items of a few queries."""

from collections.abc import Sequence

import torch
from torch import Tensor

from hplreid.structures.ranked_list import Mark, RankedItem, RankedList

from ..distance import BlockDistance
from ..protocol import JUNK_PID


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
    rows = spread_evenly(len(query), num_queries)
    ranker = BlockDistance(query_feats[rows], gallery_feats, distance)
    nearest = ranker.block(0, len(rows)).argsort(dim=1, stable=True)[:, :topk]
    scores = ranker.scores(nearest)
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
            rows, nearest.tolist(), scores.tolist(), strict=True
        )
    ]


def _mark(query: RankedItem, item: RankedItem, drop_same_camera: bool) -> Mark:
    if item.pid == JUNK_PID:
        return 'ignored'
    if item.pid != query.pid:
        return 'mismatch'
    return 'ignored' if drop_same_camera and item.camid == query.camid else 'match'

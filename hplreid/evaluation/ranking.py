"""Retrieval scores from features or distances: ranks are counted, not sorted out.

The rank of a right answer is one more than the number of items that count and are
closer. So a block of queries needs one product, its values sorted without indices, and
a binary search for each right answer. What a right answer is compared with is read from
the very block that is counted: computed again in another way it would differ in the
last bit, and half of the right answers would count themselves.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from .distance import BlockDistance, Features
from .protocol import Protocol, as_index, positions_in_row
from .ranking_result import RankingResult, summarise


@torch.no_grad()
def evaluate_ranking(
    query_feats: Features,
    gallery_feats: Features,
    query_pids: ArrayLike | Tensor,
    gallery_pids: ArrayLike | Tensor,
    query_camids: ArrayLike | Tensor | None = None,
    gallery_camids: ArrayLike | Tensor | None = None,
    *,
    distance: str = 'cosine',
    topk: Sequence[int] = (1, 5, 10),
    block_size: int = 256,
) -> RankingResult:
    """Score the ranking of a gallery for each query by their features.

    With cameras, gallery items of the query's identity and camera are left out (the
    protocol of Market-1501); without, nothing is. Gallery items of identity -1 are
    dropped. Queries without a right answer are skipped and counted. Equally close
    items rank in the order of the gallery.

    Args:
        query_feats: ``(Q, D)``, array or tensor on any device.
        gallery_feats: ``(G, D)``.
        query_pids: Identities, ``(Q,)`` integers.
        gallery_pids: Identities, ``(G,)`` integers, -1 is junk.
        query_camids: Cameras, ``(Q,)`` integers.
        gallery_camids: Cameras, ``(G,)`` integers.
        distance: ``'cosine'`` (normalises), ``'euclidean'`` or ``'sqeuclidean'`` (both
            take features as they are and rank alike).
        topk: Cut-offs of the CMC, clipped to the gallery.
        block_size: Queries at a time: memory is one block of ``block_size * G``
            distances, two on a GPU.

    Returns:
        Scores in percent.

    Raises:
        ValueError: An input is malformed, or no query has a right answer; the message
            says which, and why.
    """
    protocol = Protocol(query_pids, gallery_pids, query_camids, gallery_camids)
    _check_shape(
        (len(query_feats), len(gallery_feats)), protocol, 'query and gallery features'
    )
    if len(protocol.kept) < protocol.num_given:
        gallery_feats = torch.as_tensor(gallery_feats)
        gallery_feats = gallery_feats[as_index(protocol.kept, gallery_feats)]
    blocks = BlockDistance(query_feats, gallery_feats, distance).block
    return _evaluate(blocks, protocol, topk, block_size)


@torch.no_grad()
def evaluate_distances(
    distmat: np.ndarray | Tensor,
    query_pids: ArrayLike | Tensor,
    gallery_pids: ArrayLike | Tensor,
    query_camids: ArrayLike | Tensor | None = None,
    gallery_camids: ArrayLike | Tensor | None = None,
    *,
    topk: Sequence[int] = (1, 5, 10),
    block_size: int = 256,
) -> RankingResult:
    """Score the ranking of a gallery for each query by given distances.

    Args:
        distmat: ``(Q, G)``, lower is closer, finite. It is not changed.
        query_pids: As in :func:`evaluate_ranking`, like all that follows.
        gallery_pids: ``(G,)`` integers, -1 is junk.
        query_camids: ``(Q,)`` integers.
        gallery_camids: ``(G,)`` integers.
        topk: Cut-offs of the CMC, clipped to the gallery.
        block_size: Queries at a time.

    Returns:
        Scores in percent.

    Raises:
        ValueError: An input is malformed, or no query has a right answer.
    """
    protocol = Protocol(query_pids, gallery_pids, query_camids, gallery_camids)
    distances = torch.as_tensor(distmat)
    _check_shape(tuple(distances.shape), protocol, 'distances')
    kept = as_index(protocol.kept, distances)

    def block(start: int, stop: int) -> Tensor:
        values = distances[start:stop][:, kept]  # a copy: it may be written to
        if values.dtype not in (torch.float32, torch.float64):
            half = values.is_floating_point()
            values = values.to(torch.float32 if half else torch.float64)
        if not torch.isfinite(values).all():
            raise ValueError(
                f'Distances of queries {start} to {stop - 1} hold NaN or infinity.'
            )
        return values

    return _evaluate(block, protocol, topk, block_size)


def _check_shape(shape: tuple[int, ...], protocol: Protocol, what: str) -> None:
    expected = (len(protocol.query_pids), protocol.num_given)
    if shape != expected:
        raise ValueError(
            f'{what} are {shape}, but {expected[0]} query and {expected[1]} gallery '
            'identities are given.'
        )


def _evaluate(
    block: Callable[[int, int], Tensor],
    protocol: Protocol,
    topk: Sequence[int],
    block_size: int,
) -> RankingResult:
    if not topk or any(int(k) != k or k < 1 for k in topk):
        raise ValueError(f'topk must be integers from 1; got {topk}.')
    if block_size < 1:
        raise ValueError(f'block_size must be at least 1; got {block_size}.')
    num_queries = len(protocol.query_pids)
    all_rows, all_ranks = [], []
    with ThreadPoolExecutor(max(1, torch.get_num_threads())) as pool:
        for start in range(0, num_queries, block_size):
            stop = min(start + block_size, num_queries)
            rows, columns, ignored = protocol.same_identity(start, stop)
            if ignored.all():  # nothing to rank, or no pair at all
                continue
            distances = block(start, stop)
            ranks = _count_ranks(distances, rows, columns, ignored, pool)
            all_rows.append(start + rows[~ignored])
            all_ranks.append(ranks)
    if not all_rows:
        raise ValueError(protocol.explain_no_match())
    return summarise(
        np.concatenate(all_rows),
        np.concatenate(all_ranks),
        num_queries,
        len(protocol.kept),
        [int(k) for k in topk],
    )


def _count_ranks(
    distances: Tensor,
    rows: np.ndarray,
    columns: np.ndarray,
    ignored: np.ndarray,
    pool: Executor,
) -> np.ndarray:
    """Return the rank, from 1, of each pair that isn't ignored.

    Args:
        distances: ``(B, G)``, finite; overwritten where a pair is ignored.
        rows: Query of each pair, ascending, ``(P,)``.
        columns: Gallery item of each pair, ``(P,)``.
        ignored: Whether the pair is left out, ``(P,)``.
        pool: Shares the rows among the cores, on a CPU.
    """
    out_rows, out_columns = rows[ignored], columns[ignored]
    distances[as_index(out_rows, distances), as_index(out_columns, distances)] = (
        torch.inf
    )
    rows, columns = rows[~ignored], columns[~ignored]
    if distances.device.type == 'cpu':
        closer, equal = _count_on_cpu(distances, rows, columns, pool)
    else:
        closer, equal = _count_on_device(distances, rows, columns)
    # Rare with real features. Of equally close items, those earlier count as closer.
    tied = np.flatnonzero(equal > 1)
    for start in range(0, len(tied), len(distances)):  # never more than a block
        part = tied[start : start + len(distances)]
        closer[part] += _count_equal_before(distances, rows[part], columns[part])
    return closer + 1


def _count_on_cpu(
    distances: Tensor, rows: np.ndarray, columns: np.ndarray, pool: Executor
) -> tuple[np.ndarray, np.ndarray]:
    """Count what is closer than, and what is as close as, each pair; each ``(P,)``.

    Row by row, while the row is in the cache. NumPy's vectorised sort is an order of
    magnitude faster than torch's, and frees the interpreter for other threads.
    """
    values = distances.numpy()
    closer, equal = np.empty(len(rows), np.int64), np.empty(len(rows), np.int64)
    bounds = np.searchsorted(rows, np.arange(len(values) + 1)).tolist()

    def count(some_rows: np.ndarray) -> None:
        ascending = np.empty_like(values[0])
        for row in some_rows.tolist():
            pairs = slice(bounds[row], bounds[row + 1])
            own = values[row, columns[pairs]]
            if not len(own):
                continue
            ascending[:] = values[row]
            ascending.sort()
            closer[pairs] = ascending.searchsorted(own)
            equal[pairs] = ascending.searchsorted(own, side='right') - closer[pairs]

    threads = torch.get_num_threads()
    list(pool.map(count, np.array_split(np.arange(len(values)), threads)))
    return closer, equal


def _count_on_device(
    distances: Tensor, rows: np.ndarray, columns: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Do the same on an accelerator, for all rows at once."""
    row_index = as_index(rows, distances)
    place = as_index(positions_in_row(rows), distances)
    own = distances[row_index, as_index(columns, distances)]
    # A row for each query, as wide as the most right answers of any.
    padded = own.new_zeros(len(distances), int(place.max()) + 1)
    padded[row_index, place] = own
    ascending = distances.sort(dim=1).values
    closer = torch.searchsorted(ascending, padded)
    equal = torch.searchsorted(ascending, padded, right=True) - closer
    return (
        closer[row_index, place].cpu().numpy(),
        equal[row_index, place].cpu().numpy(),
    )


def _count_equal_before(
    distances: Tensor, rows: np.ndarray, columns: np.ndarray
) -> np.ndarray:
    """Count equally close items that come earlier in the gallery."""
    row_index, column_index = as_index(rows, distances), as_index(columns, distances)
    own = distances[row_index, column_index]
    before = torch.arange(distances.shape[1], device=own.device) < column_index[:, None]
    return ((distances[row_index] == own[:, None]) & before).sum(1).cpu().numpy()

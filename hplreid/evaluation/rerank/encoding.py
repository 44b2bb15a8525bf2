"""The k-reciprocal encoding: each item as a sparse vector over its neighbors."""

from __future__ import annotations

from concurrent.futures import Executor, ThreadPoolExecutor

import numpy as np
import scipy  # whose parts are loaded when they are used
import torch

from .joint_distances import JointDistances
from .neighbors import Neighbors
from .settings import RerankSettings

_ROWS = 1024  # items whose sets a thread makes at once
_PAIRS = 2**14  # whose distances it computes


def encode(
    distances: JointDistances,
    neighbors: Neighbors,
    settings: RerankSettings,
) -> scipy.sparse.csr_array:
    """Return the k-reciprocal vectors, ``(N, N)``, some hundred values a row.

    Zhong et al., `Re-ranking Person Re-identification with k-reciprocal Encoding
    <https://arxiv.org/abs/1701.08398>`_, eq. 3 to 7 and 11.

    Args:
        distances: Among N items.
        neighbors: Of each, as many as the settings ask for.
        settings: Sizes of the neighborhoods and how distances become weights.
    """
    mutual = mutual_neighbors(neighbors.indices[:, : settings.num_neighbors])
    close = mutual_neighbors(neighbors.indices[:, : settings.num_close])
    scale = neighbors.greatest if settings.formula.relative else None

    starts = range(0, len(distances), _ROWS)
    with ThreadPoolExecutor(max(1, torch.get_num_threads())) as pool:
        widened = pool.map(
            lambda start: _widen(mutual[start : start + _ROWS], close), starts
        )
        members = scipy.sparse.vstack(list(widened), format='csr')
        values = _distances_of(members, distances, pool)
        vectors = _weigh(members, values, scale)
        if settings.k2 == 1:
            return vectors
        shares = _shares(neighbors.indices[:, : settings.num_averaged], vectors.dtype)
        averaged = pool.map(
            lambda start: shares[start : start + _ROWS] @ vectors, starts
        )
        return scipy.sparse.vstack(list(averaged), format='csr')


def mutual_neighbors(indices: np.ndarray) -> scipy.sparse.csr_array:
    """Return which items are among each other's neighbors, symmetric, ``(N, N)``.

    Args:
        indices: Neighbors of each item, ``(N, k)``.
    """
    graph = _graph(indices, np.ones(indices.size, np.int32))
    return graph.multiply(graph.T.tocsr()).tocsr()


def _graph(indices: np.ndarray, values: np.ndarray) -> scipy.sparse.csr_array:
    total, k = indices.shape
    starts = np.arange(0, total * k + 1, k, dtype=np.int32)
    graph = scipy.sparse.csr_array(
        (values, indices.flatten(), starts), shape=(total, total)
    )
    graph.sort_indices()  # in place: of a copy
    return graph


def _widen(
    members: scipy.sparse.csr_array, close: scipy.sparse.csr_array
) -> scipy.sparse.csr_array:
    """Add the small sets of those members that mostly agree with the whole.

    The small set of a member joins if more than two thirds of it are members.

    Args:
        members: Sets of some items, ``(B, N)``.
        close: Small sets of all items, symmetric, ``(N, N)``.
    """
    sizes = np.diff(close.indptr)
    # Entry (i, j) counts what the set of i and the small set of its member j share.
    shared = (members @ close).multiply(members).tocsr()
    shared.data = (3 * shared.data > 2 * sizes[shared.indices]).astype(np.int32)
    shared.eliminate_zeros()
    widened = members + shared @ close
    widened.sort_indices()
    return widened


def _distances_of(
    members: scipy.sparse.csr_array, distances: JointDistances, pool: Executor
) -> np.ndarray:
    """Return the distance of each member, in their order; of two items it is one.

    Args:
        members: ``(N, N)``.
        distances: Among N items.
        pool: Shares the work.
    """
    ones = scipy.sparse.csr_array(
        (np.ones(members.nnz, np.int64), members.indices, members.indptr),
        shape=members.shape,
    )
    either = scipy.sparse.triu(ones + ones.T, k=1, format='csr')
    either.sort_indices()
    rows = np.repeat(np.arange(len(distances)), np.diff(either.indptr))
    number = max(1, -(-len(rows) // _PAIRS))
    parts = [np.array_split(side, number) for side in (rows, either.indices)]
    values = np.concatenate([*pool.map(distances.pairs, *parts), np.zeros(1)])
    # Where the distance of each is: a number from 1, and the last one for itself
    either.data = np.arange(1, len(values), dtype=np.int64)
    itself = np.arange(len(distances))
    own = scipy.sparse.csr_array(
        (np.full(len(itself), len(values)), (itself, itself)), shape=members.shape
    )
    places = (either + either.T + own).multiply(ones).tocsr()
    places.sort_indices()
    return values[places.data - 1].astype(distances.dtype, copy=False)


def _weigh(
    members: scipy.sparse.csr_array, values: np.ndarray, scale: np.ndarray | None
) -> scipy.sparse.csr_array:
    """Return weights ``exp(-distance)`` of the members, of sum one in each row."""
    sizes = np.diff(members.indptr)
    if scale is not None:  # all items may be the same one
        values = values / np.repeat(np.where(scale > 0, scale, 1), sizes)
    filled = np.flatnonzero(sizes)
    first = members.indptr[filled]
    # Only differences matter; as they are, far items could all weigh nothing.
    values = values - np.repeat(np.minimum.reduceat(values, first), sizes[filled])
    # In float64, for in float32 processors differ in the last bit
    weights = np.exp(-values.astype(np.float64)).astype(values.dtype)
    weights /= np.repeat(np.add.reduceat(weights, first), sizes[filled])
    return scipy.sparse.csr_array(
        (weights, members.indices, members.indptr), shape=members.shape
    )


def _shares(indices: np.ndarray, dtype: np.dtype) -> scipy.sparse.csr_array:
    """Return what averages over the given items of each item, ``(N, k2)`` indices."""
    return _graph(indices, np.full(indices.size, 1 / indices.shape[1], dtype))

"""The k smallest values of each row, equal ones in the order of the columns.

Values may be rounded: they tell what may be among the k smallest, and exact ones decide
where they are too near to each other.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from .distance import round_down
from .protocol import positions_in_row
from .threads import without_buffer

_LAYERS = 32  # rows are folded so often at most; more gains nothing

# If more of a block may be among the smallest, it is computed exactly as a whole, which
# is sooner done than pair by pair: all images may look alike to a model.
_MOST_CANDIDATES = 1 / 32

Candidates = tuple[np.ndarray, np.ndarray, np.ndarray]
ExactPairs = Callable[[np.ndarray, np.ndarray], np.ndarray]
ExactBlock = Callable[[], Tensor]


def smallest(block: Tensor, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Find the k smallest values of each row, ascending.

    On a CPU it takes a twentieth of the matrix product that made the rows.

    Args:
        block: ``(B, N)``, no NaN.
        k: From 1 to N.

    Returns:
        Values ``(B, k)`` and columns ``(B, k)`` int32, on the host.
    """
    rows, columns = _up_to_kth(block, k, np.zeros((len(block), 1)), block.numel())
    return _order(rows, columns, _take(block, rows, columns), k)


def nearest(
    block: Tensor, k: int, margins: np.ndarray, pairs: ExactPairs, whole: ExactBlock
) -> np.ndarray:
    """Find the columns of the k smallest exact values of each row, ascending.

    Only what rounding leaves undecided is computed.

    Args:
        block: ``(B, N)``, rounded, no NaN.
        k: From 1 to N.
        margins: How far a value of a row may be from the exact one, ``(B, 1)``.
        pairs: Computes the exact values of some, from row and column.
        whole: Computes all of them, ``(B, N)``.

    Returns:
        ``(B, k)`` int32; of equal ones the lower column comes first.
    """
    most = int(_MOST_CANDIDATES * block.numel())
    rows, columns = _up_to_kth(block, k, margins, most)
    if len(rows) > most:
        return smallest(whole(), k)[1]
    values = _take(block, rows, columns)
    undecided = _undecided(rows, values, margins)
    values[undecided] = pairs(rows[undecided], columns[undecided])
    return _order(rows, columns, values, k)[1]


def greatest(
    block: Tensor, margins: np.ndarray, pairs: ExactPairs, whole: ExactBlock
) -> np.ndarray:
    """Find the greatest exact value of each row, ``(B,)``.

    Args:
        block: As in :func:`nearest`, like what follows.
        margins: ``(B, 1)``.
        pairs: Computes the exact values of some.
        whole: Computes all of them.
    """
    most = int(_MOST_CANDIDATES * block.numel())
    bound = -_beyond(-block.amax(dim=1, keepdim=True).cpu().numpy(), margins)
    rows, columns = _places(block, bound, np.greater_equal, most)
    if len(rows) > most:
        return whole().amax(dim=1).cpu().numpy()
    starts = np.flatnonzero(np.diff(rows, prepend=-1))
    return np.maximum.reduceat(pairs(rows, columns), starts)


def _up_to_kth(
    block: Tensor, k: int, margins: np.ndarray, most: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return row and column of what may be among the k smallest of each row.

    More than ``most`` are not all of them.
    """
    if block.device.type != 'cpu':
        kth = block.topk(k, dim=1, largest=False).values[:, -1:].cpu().numpy()
        return _places(block, _beyond(kth, margins), np.less_equal, most)
    bound = _beyond(_above_kth(block.numpy(), k), margins)
    rows, columns = _places(block, bound, np.less_equal, most)
    if len(rows) > most:
        return rows, columns
    # What was folded away may have been smaller: the k-th of those found is the k-th
    found = _take(block, rows, columns)
    table = _side_by_side(rows, positions_in_row(rows), found)
    table.partition(k - 1, axis=1)
    near = found <= _beyond(table[:, k - 1 : k], margins)[rows, 0]
    return rows[near], columns[near]


def _beyond(kth: np.ndarray, margins: np.ndarray) -> np.ndarray:
    """Return what no rounded value of those that may be as small as the k-th exceeds.

    The k-th is off by one margin, and what is compared with it by another.
    """
    return -round_down(-(kth.astype(np.float64) + 2 * margins), kth.dtype)


def _above_kth(values: np.ndarray, k: int) -> np.ndarray:
    """Return what the k-th value of each row doesn't exceed, ``(B, 1)``.

    Fold the row into a few layers, keep the smallest of what lies on top of each other,
    and take the k-th of those. Each is another value of the row, so k of them don't
    exceed the bound, and hardly more do.
    """
    layers = max(1, min(_LAYERS, values.shape[1] // (4 * k)))
    width = values.shape[1] // layers
    few = values[:, : layers * width].reshape(-1, layers, width).min(axis=1)
    few.partition(k - 1, axis=1)
    return few[:, k - 1 : k]


def _places(
    block: Tensor, bound: np.ndarray, compare: np.ufunc, most: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return row and column, ascending, of what compares so with the row's bound.

    Of a block's more than ``most`` it is the first and one more.
    """
    if block.device.type == 'cpu':
        with without_buffer():
            mask = compare(block.numpy(), bound)
    else:
        against = torch.from_numpy(bound).to(block)
        mask = block <= against if compare is np.less_equal else block >= against
        mask = mask.cpu().numpy()
    if np.count_nonzero(mask) > most:
        return np.zeros(most + 1, np.int64), np.zeros(most + 1, np.int64)
    return np.divmod(np.flatnonzero(mask), mask.shape[1])  # nonzero in 2D is slow


def _take(block: Tensor, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return values of a block, on the host."""
    if block.device.type == 'cpu':
        return block.numpy()[rows, columns]
    places = (torch.from_numpy(index).to(block.device) for index in (rows, columns))
    return block[tuple(places)].cpu().numpy()


def _undecided(rows: np.ndarray, values: np.ndarray, margins: np.ndarray) -> np.ndarray:
    """Return which values are nearer to another of their row than both may be off."""
    ascending = np.lexsort((values, rows))
    gaps = np.diff(values[ascending].astype(np.float64))
    near = (gaps <= 2 * margins[rows[1:], 0]) & (np.diff(rows) == 0)
    return ascending[np.append(near, False) | np.append(False, near)]


def _order(
    rows: np.ndarray, columns: np.ndarray, values: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the k smallest values of each row, and their columns, ``(B, k)`` each."""
    # Side by side in the order of the columns, which a stable sort keeps among equals.
    place = positions_in_row(rows)
    found = _side_by_side(rows, place, values)
    items = _side_by_side(rows, place, columns.astype(np.int32))
    places = found.argsort(axis=1, kind='stable')[:, :k]
    return (
        np.take_along_axis(found, places, axis=1),
        np.take_along_axis(items, places, axis=1),
    )


def _side_by_side(
    rows: np.ndarray, place: np.ndarray, values: np.ndarray
) -> np.ndarray:
    """Write the values of each row into a table, filled up with the largest there is.

    Args:
        rows: Row of each, ascending, from 0, ``(P,)``.
        place: Which of its row it is, ``(P,)``.
        values: ``(P,)``.
    """
    most = np.inf if values.dtype.kind == 'f' else np.iinfo(values.dtype).max
    table = np.full((rows[-1] + 1, place.max() + 1), most, values.dtype)
    table[rows, place] = values
    return table

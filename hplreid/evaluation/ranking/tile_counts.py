"""Count, in a tile of rounded values, what is surely below each of many limits.

What lies too near a limit for a rounded value to decide is handed to the caller, who
decides it exactly, some at a time: many copies of an image take no more memory.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..protocol import as_index
from ..threads import Scratch

# Comparing a tile with one limit of each row takes a tenth of the time of sorting it.
_MAX_PASSES = 8
# Once no more than this share of a tile is left, its values are handled one by one.
_SPARSE = 1 / 64
# Rows handled together: their part of a tile stays in the cache of a core.
_ROWS = 64
# Pieces of rows that are searched together.
_PIECES = 256
# Undecided values that are kept before they are handed over.
_MAX_UNDECIDED = 1 << 17
# Up to 512 values NumPy sorts in registers, several times faster than more.
_SORTED = 512

_EVEN_BYTES = np.uint64(0x00FF00FF00FF00FF)
_ALL_PAIRS = np.uint64(0x0001000100010001)  # a product's uppermost 16 bits: their sum

_masks = Scratch()
_lower_masks = Scratch()

Found = tuple[np.ndarray, np.ndarray, np.ndarray]


class Undecided(NamedTuple):
    """Values of a tile within the margin of a limit: row, column, limit; ``(N,)``."""

    rows: np.ndarray
    columns: np.ndarray
    slots: np.ndarray


def count_below(
    tile: Tensor,
    limits: np.ndarray,
    margins: np.ndarray,
    is_below: Callable[[Undecided], np.ndarray],
) -> np.ndarray:
    """Count the values of each row that are below each limit.

    Args:
        tile: ``(B, W)``, float32 or float64; left-out values are infinite.
        limits: ``(B, P)`` float64, descending in a row.
        margins: How far a value of a row may be from the exact one, ``(B, 1)``.
        is_below: Decides the values within the margin of a limit, ``(N,)`` bool.

    Returns:
        Counts, ``(B, P)`` int64.
    """
    dtype = np.dtype(str(tile.dtype).removeprefix('torch.'))
    low = _round_down(limits - margins, dtype)
    high = -_round_down(-(limits + margins), dtype)
    counts = np.zeros(limits.shape, np.int64)
    waiting: list[Found] = []
    for found in _find_undecided(tile, low, high, counts):
        waiting.append(found)
        if sum(len(rows) for rows, _, _ in waiting) > _MAX_UNDECIDED:
            _decide(waiting, is_below, counts)
            waiting = []
    _decide(waiting, is_below, counts)
    return counts


def _decide(
    waiting: list[Found],
    is_below: Callable[[Undecided], np.ndarray],
    counts: np.ndarray,
) -> None:
    """Add those undecided values that are below their limits to the counts."""
    if waiting:
        parts = (np.concatenate(part) for part in zip(*waiting, strict=True))
        undecided = Undecided(*parts)
        below = is_below(undecided)
        np.add.at(counts, (undecided.rows[below], undecided.slots[below]), 1)


def _find_undecided(
    tile: Tensor, low: np.ndarray, high: np.ndarray, counts: np.ndarray
) -> Iterator[Found]:
    """Write the counts of what is surely below; yield what is undecided."""
    if tile.device.type != 'cpu':
        yield from _count_sorted(tile, low, high, counts)
        return
    values = tile.numpy()
    for top in range(0, len(values), _ROWS):
        some = slice(top, top + _ROWS)
        with _without_buffer():
            for rows, columns, slots in _count_rows(
                values[some], low[some], high[some], counts[some]
            ):
                yield rows + top, columns, slots


def _round_down(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Convert to a shorter type without ending above the value."""
    with np.errstate(over='ignore'):  # infinity is beyond, and steps back below
        rounded = values.astype(dtype)
    down = np.nextafter(rounded, -np.inf, dtype=dtype)
    return np.where(rounded > values, down, rounded)


@contextmanager
def _without_buffer() -> Iterator[None]:
    """Let NumPy compare a table with a column without copying the column to a buffer.

    It holds for the calling thread, and halves the time.
    """
    before = np.setbufsize(256)
    try:
        yield
    finally:
        np.setbufsize(before)


def _count_rows(
    values: np.ndarray, low: np.ndarray, high: np.ndarray, counts: np.ndarray
) -> Iterator[Found]:
    """Compare with the greatest limits first: what isn't below them is below none."""
    shape = values.shape
    mask, words = _take_mask(_masks, shape)
    lower, lower_words = _take_mask(_lower_masks, shape)
    passes = min(low.shape[1], _MAX_PASSES)
    for slot in range(passes):
        np.less_equal(values, high[:, slot : slot + 1], out=mask)
        np.less(values, low[:, slot : slot + 1], out=lower)
        candidates = _count_true(words)
        counts[:, slot] = _count_true(lower_words)
        if (candidates != counts[:, slot]).any():
            rows, columns = np.nonzero(mask ^ lower)
            yield rows, columns, np.full(len(rows), slot)
        if candidates.sum() <= mask.size * _SPARSE:
            yield from _count_sparse(values, mask, slot + 1, low, high, counts)
            return
    if passes < low.shape[1]:
        rest = slice(passes, None)
        for rows, columns, slots in _count_sorted(
            torch.from_numpy(values), low[:, rest], high[:, rest], counts[:, rest]
        ):
            yield rows, columns, slots + passes


def _take_mask(
    scratch: Scratch, shape: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Return a table of booleans, and the same memory as rows of 64-bit words."""
    width = shape[1]
    padded = scratch.take((shape[0], width + -width % 8), np.dtype(bool))
    padded[:, width:] = False
    return padded[:, :width], padded.view(np.uint64)


def _count_true(words: np.ndarray) -> np.ndarray:
    """Count along rows, eight at a time: each byte of a sum is a sum of its own."""
    counts = np.zeros(len(words), np.int64)
    for first in range(0, words.shape[1], 255):  # no byte runs over
        sums = np.add.reduce(words[:, first : first + 255], axis=1)
        pairs = (sums & _EVEN_BYTES) + ((sums >> np.uint64(8)) & _EVEN_BYTES)
        counts += ((pairs * _ALL_PAIRS) >> np.uint64(48)).view(np.int64)
    return counts


def _count_sparse(
    values: np.ndarray,
    mask: np.ndarray,
    first: int,
    low: np.ndarray,
    high: np.ndarray,
    counts: np.ndarray,
) -> Iterator[Found]:
    """Count for the limits from ``first`` on what is true in the mask."""
    rows, columns = np.nonzero(mask)
    left = values[rows, columns]
    for slot in range(first, low.shape[1]):
        near = left <= high[rows, slot]
        rows, columns, left = rows[near], columns[near], left[near]
        if not len(rows):
            return
        closer = left < low[rows, slot]
        counts[:, slot] = np.bincount(rows[closer], minlength=len(counts))
        if not closer.all():
            undecided = ~closer
            count = int(undecided.sum())
            yield rows[undecided], columns[undecided], np.full(count, slot)


def _count_sorted(
    tile: Tensor, low: np.ndarray, high: np.ndarray, counts: np.ndarray
) -> Iterator[Found]:
    """Sort the rows, or pieces of them, and look the limits up."""
    number = 1
    if tile.device.type == 'cpu':
        number = -(-tile.shape[1] // _SORTED)
        while tile.shape[1] % number:
            number += 1
    pieces = tile.reshape(len(tile) * number, -1)
    if tile.device.type == 'cpu':
        # NumPy's vectorized sort of values is an order of magnitude faster than torch's
        ascending = torch.from_numpy(np.sort(pieces.numpy(), axis=1))
    else:
        ascending = pieces.sort(dim=1).values

    def look_up(limits: np.ndarray, right: bool) -> np.ndarray:
        each = as_index(np.repeat(limits, number, axis=0), tile)
        places = torch.searchsorted(ascending, each, right=right)
        return places.reshape(len(tile), number, -1).cpu().numpy()

    below, up_to = look_up(low, right=False), look_up(high, right=True)
    counts[:] = below.sum(1)
    rows, pieces_of, slots = np.nonzero(below != up_to)
    yield from _find_between(tile, rows, pieces_of, number, slots, low, high)


def _find_between(
    tile: Tensor,
    rows: np.ndarray,
    pieces_of: np.ndarray,
    number: int,
    slots: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
) -> Iterator[Found]:
    """List the values of some pieces of rows that lie between two limits."""
    width = tile.shape[1] // number
    pieces = tile.reshape(-1, width)
    for first in range(0, len(rows), _PIECES):
        some = slice(first, first + _PIECES)
        row, piece, slot = rows[some], pieces_of[some], slots[some]
        values = pieces[as_index(row * number + piece, tile)]
        least = as_index(low[row, slot], tile)[:, None]
        most = as_index(high[row, slot], tile)[:, None]
        between = ((values >= least) & (values <= most)).nonzero().cpu().numpy()
        pair, column = between[:, 0], between[:, 1]
        yield row[pair], piece[pair] * width + column, slot[pair]

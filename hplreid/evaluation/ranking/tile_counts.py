"""Count, in a tile of rounded values, what is surely below each of many limits.

What lies too near a limit for a rounded value to decide is handed to the caller, who
decides it exactly, some at a time: many copies of an image take no more memory.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..distance import round_down
from ..protocol import as_index
from ..threads import Scratch, without_buffer

# Comparing a tile with one limit of each row takes a tenth of the time of sorting it.
_MAX_PASSES = 8
# Once no more than this share of a tile is left, its values are handled one by one.
_SPARSE = 1 / 64
# Rows handled together: fewer cost more calls, more don't stay in the cache of a core.
_ROWS = 256
# Pieces of rows that are searched together.
_PIECES = 256
# Undecided values that are kept before they are handed over.
_MAX_UNDECIDED = 1 << 17
# If more than this share of some rows is undecided for one limit, as of a collapsed
# model, it is sooner to measure all of it once than to list it for each limit.
_DENSE = 1 / 16
# Up to 512 values NumPy sorts in registers, several times faster than more.
_SORTED = 512

_EVEN_BYTES = np.uint64(0x00FF00FF00FF00FF)
_ALL_PAIRS = np.uint64(0x0001000100010001)  # a product's uppermost 16 bits: their sum

_masks = Scratch()
_lower_masks = Scratch()

Found = tuple[np.ndarray, np.ndarray, np.ndarray]


CountRows = Callable[[int, int, int], np.ndarray]
"""First row, one more than the last, first limit -> counts, ``(B, P)``."""


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
    count_rows: CountRows | None = None,
) -> np.ndarray:
    """Count the values of each row that are below each limit.

    Args:
        tile: ``(B, W)``, float32 or float64; left-out values are infinite.
        limits: ``(B, P)`` float64, descending in a row.
        margins: How far a value of a row may be from the exact one, ``(B, 1)``.
        is_below: Decides the values within the margin of a limit, ``(N,)`` bool.
        count_rows: Counts all values of some rows, for the limits from one on. Where
            much is undecided it does, if given.

    Returns:
        Counts, ``(B, P)`` int64.
    """
    dtype = np.dtype(str(tile.dtype).removeprefix('torch.'))
    low = round_down(limits - margins, dtype)
    high = -round_down(-(limits + margins), dtype)
    counts = np.zeros(limits.shape, np.int64)
    search = _count_sorted if tile.device.type != 'cpu' else _count_by_passes
    waiting: list[Found] = []
    number = 0
    for found in search(tile, low, high, counts, count_rows):
        waiting.append(found)
        number += len(found[0])
        if number > _MAX_UNDECIDED:
            _decide(waiting, is_below, counts)
            waiting, number = [], 0
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


def _count_by_passes(
    tile: Tensor,
    low: np.ndarray,
    high: np.ndarray,
    counts: np.ndarray,
    count_rows: CountRows | None,
) -> Iterator[Found]:
    """Write the counts of what is surely below; yield what is undecided.

    Values are compared with the greatest limits first: what isn't below them is below
    none. Few are left after a pass or two, and are listed.
    """
    values = tile.numpy()
    listed: list[list[Found]] = [[] for _ in range(low.shape[1])]
    dense = np.inf if count_rows is None else _DENSE
    for top in range(0, len(values), _ROWS):
        some = slice(top, top + _ROWS)
        # Nothing waits for the caller while NumPy has no buffer
        with without_buffer():
            found, first, left, is_dense = _compare_rows(
                values[some], low[some], high[some], counts[some], dense
            )
        for rows, columns, slots in found:
            yield rows + top, columns, slots
        if left is not None:
            rows, columns = left
            listed[first].append((rows + top, columns, values[some][left]))
        elif count_rows is not None and is_dense:
            counts[some, first:] = count_rows(top, min(some.stop, len(values)), first)
        elif first < low.shape[1]:
            rest = slice(first, None)

            def count_rest(
                start: int, stop: int, slot: int, top: int = top, first: int = first
            ) -> np.ndarray:
                assert count_rows is not None
                return count_rows(start + top, stop + top, slot + first)

            for rows, columns, slots in _count_sorted(
                torch.from_numpy(values[some]),
                low[some, rest],
                high[some, rest],
                counts[some, rest],
                count_rest if count_rows else None,
            ):
                yield rows + top, columns, slots + first
    yield from _count_listed(listed, low, high, counts)


class _Compared(NamedTuple):
    """What came of comparing rows with one limit after the other.

    Attributes:
        found: What is undecided.
        first: The first limit that is still open.
        left: Row and column of all that may be below it; None if these are too many to
            list.
        is_dense: Whether too much is undecided to list it.
    """

    found: list[Found]
    first: int
    left: tuple[np.ndarray, np.ndarray] | None = None
    is_dense: bool = False


def _compare_rows(
    values: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    counts: np.ndarray,
    dense: float,
) -> _Compared:
    """Compare all values of some rows with one limit after the other."""
    mask, words = _take_mask(_masks, values.shape)
    passes = min(low.shape[1], _MAX_PASSES)
    found: list[Found] = []
    for slot in range(passes):
        np.less_equal(values, high[:, slot : slot + 1], out=mask)
        candidates = _count_true(words)
        if candidates.sum() <= mask.size * _SPARSE:
            return _Compared(found, slot, _places(words))
        lower, lower_words = _take_mask(_lower_masks, values.shape)
        np.less(values, low[:, slot : slot + 1], out=lower)
        counts[:, slot] = _count_true(lower_words)
        if (candidates != counts[:, slot]).any():
            if (candidates - counts[:, slot]).sum() > mask.size * dense:
                return _Compared(found, slot, is_dense=True)
            np.not_equal(mask, lower, out=lower)
            rows, columns = _places(lower_words)
            found.append((rows, columns, np.full(len(rows), slot)))
    return _Compared(found, passes)


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


def _places(words: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return row and column of what is true, ascending; nonzero in 2D is slow."""
    flat = np.flatnonzero(words.view(bool))
    return np.divmod(flat, 8 * words.shape[1])


def _count_listed(
    listed: list[list[Found]], low: np.ndarray, high: np.ndarray, counts: np.ndarray
) -> Iterator[Found]:
    """Count what is listed by the first limit to compare with: row, column, value."""
    nothing = np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, low.dtype)
    rows, columns, left = nothing
    for slot, new in enumerate(listed):
        parts = zip((rows, columns, left), *new, strict=True)
        rows, columns, left = (np.concatenate(part) for part in parts)
        # Places once and three times taken are sooner there than three masks
        near = np.flatnonzero(left <= high[:, slot].take(rows))
        rows, columns, left = rows.take(near), columns.take(near), left.take(near)
        closer = left < low[:, slot].take(rows)
        counts[:, slot] += np.bincount(rows[closer], minlength=len(counts))
        undecided = np.flatnonzero(~closer)
        if len(undecided):
            yield rows[undecided], columns[undecided], np.full(len(undecided), slot)


def _count_sorted(
    tile: Tensor,
    low: np.ndarray,
    high: np.ndarray,
    counts: np.ndarray,
    count_rows: CountRows | None,
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
    undecided = (up_to - below).sum(axis=(0, 1))
    if count_rows is not None and undecided.max() > tile.numel() * _DENSE:
        for first in range(0, len(tile), _ROWS):
            some = slice(first, first + _ROWS)
            counts[some] = count_rows(first, min(some.stop, len(tile)), 0)
        return
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

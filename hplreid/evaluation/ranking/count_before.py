"""Counts how many numbers of a row come before some limits, for many rows at once."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from ..protocol import as_index
from ..threads import Scratch

# Comparing a tile with one limit of each row takes a tenth of the time of sorting it.
_MOST_PASSES = 8
# Where no more than this share of a tile is left, what is left is looked at one by one.
_FEW = 1 / 64
# Rows compared at a time: they stay in the cache of a core.
_COMPARED = 256
# Up to 512 numbers NumPy sorts in registers, several times faster than more.
_SORTED = 512

_EVEN_BYTES = np.uint64(0x00FF00FF00FF00FF)
_ALL_PAIRS = np.uint64(0x0001000100010001)  # a product's uppermost 16 bits: their sum

_masks = Scratch()


def count_before(
    tile: Tensor,
    limits: np.ndarray,
    rows: np.ndarray,
    slots: np.ndarray,
    columns: np.ndarray,
) -> np.ndarray:
    """Count the numbers of each row that are below each limit, ``(B, P)`` int64.

    At limits that have a place in the tile, equal numbers in front of it count too.

    Args:
        tile: ``(B, W)``.
        limits: ``(B, P)``, descending in a row.
        rows: Rows of the limits that have a place, ``(N,)``.
        slots: Which of its row's limits each is, ``(N,)``.
        columns: The places, ascending, ``(N,)``.
    """
    if tile.device.type == 'cpu':
        with unbuffered():
            counts, tied = _count_by_passes(tile.numpy(), limits)
        seen = tied[rows, slots]
        rows, slots, columns = rows[seen], slots[seen], columns[seen]
    else:
        counts = _count_sorted(tile, limits)
    own = limits[rows, slots]
    counts[rows, slots] += _count_equal_before(tile, rows, columns, own)
    return counts


@contextmanager
def unbuffered() -> Iterator[None]:
    """Let NumPy compare a table with a column without copying the column to a buffer.

    It holds for the calling thread, and halves the time.
    """
    before = np.setbufsize(256)
    try:
        yield
    finally:
        np.setbufsize(before)


def _count_by_passes(
    values: np.ndarray, limits: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Compare with the greatest limits first: what isn't below them is below none.

    Returns:
        Counts, and where a row may hold a number equal to the limit; ``(B, P)`` each.
    """
    counts = np.zeros(limits.shape, np.int64)
    tied = np.ones(limits.shape, bool)
    width = values.shape[1]
    padded = _masks.take((len(values), width + -width % 8), np.dtype(bool))
    padded[:, width:] = False
    mask = padded[:, :width]
    passes = min(limits.shape[1], _MOST_PASSES)
    for column in range(passes):
        np.less(values, limits[:, column : column + 1], out=mask)
        counts[:, column] = _count_true(padded)
        if counts[:, column].sum() <= mask.size * _FEW:
            _count_few(values, mask, limits, column + 1, counts, tied)
            return counts, tied
    if passes < limits.shape[1]:
        counts[:, passes:] = _count_sorted(torch.from_numpy(values), limits[:, passes:])
    return counts, tied


def _count_true(mask: np.ndarray) -> np.ndarray:
    """Count along rows, eight at a time: each byte of a sum is a sum of its own."""
    eights = mask.view(np.uint64)
    counts = np.zeros(len(mask), np.int64)
    for first in range(0, eights.shape[1], 255):  # no byte runs over
        sums = np.add.reduce(eights[:, first : first + 255], axis=1)
        pairs = (sums & _EVEN_BYTES) + ((sums >> np.uint64(8)) & _EVEN_BYTES)
        counts += ((pairs * _ALL_PAIRS) >> np.uint64(48)).view(np.int64)
    return counts


def _count_few(
    values: np.ndarray,
    mask: np.ndarray,
    limits: np.ndarray,
    first: int,
    counts: np.ndarray,
    tied: np.ndarray,
) -> None:
    """Write counts and ties from column ``first`` on of what is true in the mask.

    That is below the limits of the column before.
    """
    tied[:, first:] = limits[:, first:] == limits[:, first - 1 : first]
    found = np.flatnonzero(mask)
    rows = np.repeat(np.arange(len(counts)), counts[:, first - 1])
    some = values.reshape(-1)[found]
    for column in range(first, limits.shape[1]):
        own = limits[rows, column]
        left = some <= own
        rows, some, own = rows[left], some[left], own[left]
        if not len(rows):
            return
        below, equal = rows, some == own
        if equal.any():  # rare with real features
            tied[rows[equal], column] = True
            below = rows[~equal]
        counts[:, column] = np.bincount(below, minlength=len(counts))


def _count_sorted(tile: Tensor, limits: np.ndarray) -> np.ndarray:
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
    each = as_index(np.repeat(limits, number, axis=0), tile)
    found = torch.searchsorted(ascending, each).reshape(len(tile), number, -1)
    return found.sum(1).cpu().numpy()


def _count_equal_before(
    tile: Tensor, rows: np.ndarray, columns: np.ndarray, own: np.ndarray
) -> np.ndarray:
    """Count equal values that come earlier in each given row of the tile, ``(N,)``.

    Columns ascend, so that those of some rows together end soon after all of them.
    """
    counts = np.zeros(len(rows), np.int64)
    for first in range(0, len(rows), _COMPARED):
        some = slice(first, first + _COMPARED)
        width = columns[some][-1]
        if tile.device.type == 'cpu':
            with unbuffered():
                equal = tile.numpy()[rows[some], :width] == own[some, None]
        else:
            picked = tile[as_index(rows[some], tile), :width]
            equal = (picked == as_index(own[some], tile)[:, None]).cpu().numpy()
        if equal.any():  # rare with real features
            before = np.arange(width) < columns[some, None]
            counts[some] = (equal & before).sum(1)
    return counts

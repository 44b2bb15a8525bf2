"""The rank of a right answer by counting what is closer; nothing is sorted out.

Right answers are measured first: the product of a few queries with the items of their
identities alone. Then the gallery passes by, tile after tile, and the wrong answers
that are closer are counted; those of one identity are masked. So every value comes
from exactly one product, no right answer can count itself because a second product
rounded it differently, and counts add up over tiles, blocks and processes.
"""

import numpy as np
import torch
from torch import Tensor

from .below import count_before
from .protocol import as_index
from .query_groups import QueryGroup
from .sources import Source


def measure(source: Source, group: QueryGroup, owned: tuple[int, int]) -> np.ndarray:
    """Return how far the right answers are, ``(B, P)``; 0 where not owned or void.

    Args:
        source: Gives the values.
        group: B queries.
        owned: First gallery item that the source has, and one more than its last.

    Raises:
        ValueError: A value isn't finite.
    """
    values = np.zeros(group.columns.shape, group.values.dtype)
    factor = source.queries(group.queries)
    # The fewer together, the fewer products with another's right answers
    for start in range(0, len(values), source.height):
        columns = group.columns[start : start + source.height]
        rows, slots = np.nonzero((columns >= owned[0]) & (columns < owned[1]))
        columns = columns[rows, slots]
        needed = np.unique(columns)
        top = max(0, min(start, len(factor) - source.height))
        queries = factor[top : top + source.height]
        for first in range(0, len(needed), source.tile_width):
            some = needed[first : first + source.tile_width]
            here = (columns >= some[0]) & (columns <= some[-1])
            tile = source.values(queries, source.gallery(some))
            place = np.searchsorted(some, columns[here])
            row = start - top + rows[here]
            own = tile[as_index(row, tile), as_index(place, tile)]
            values[start + rows[here], slots[here]] = own.cpu().numpy()
    if not np.isfinite(values).all():
        raise ValueError(
            f'A product of features overflows {values.dtype}: scale them down.'
        )
    return values


def count_closer(
    source: Source,
    group: QueryGroup,
    queries: Tensor | np.ndarray,
    gallery: Tensor | np.ndarray,
    start: int,
    stop: int,
) -> np.ndarray:
    """Count wrong answers of a part of the gallery before each right one, ``(B, P)``.

    Args:
        source: Gives the values.
        group: B queries whose right answers are measured.
        queries: What the source has of these.
        gallery: What it has of the items from ``start`` on.
        start: First gallery item to count.
        stop: One more than the last.
    """
    closer = np.zeros(group.values.shape, np.int64)
    # An equal value counts in front of the right answer, but not behind it.
    after_equal = np.nextafter(group.values, np.inf, dtype=group.values.dtype)
    limits = np.where(group.columns >= start, after_equal, group.values)
    for first in range(start, stop, source.tile_width):
        last = min(first + source.tile_width, stop)
        some = slice(first - start, first - start + source.tile_width)
        tile = source.values(queries, gallery[some])[: len(limits)]
        rows, columns, slots = group.between(first, last)
        columns = columns - first
        _leave_out(tile, rows, columns, last - first)
        # From the tile of the right answer on, equal ones count no more, save those in
        # front of it in this very tile.
        right = slots >= 0
        rows, columns, slots = rows[right], columns[right], slots[right]
        limits[rows, slots] = group.values[rows, slots]
        closer += count_before(tile, limits, rows, slots, columns)
    return closer


def _leave_out(tile: Tensor, rows: np.ndarray, columns: np.ndarray, width: int) -> None:
    """Put pairs of one identity, and what factors were padded with, behind all."""
    if tile.device.type == 'cpu':  # NumPy's indexing takes a tenth of the time
        values = tile.numpy()
        values[:, width:] = np.inf
        values[rows, columns] = np.inf
    else:
        tile[:, width:] = torch.inf
        tile[as_index(rows, tile), as_index(columns, tile)] = torch.inf

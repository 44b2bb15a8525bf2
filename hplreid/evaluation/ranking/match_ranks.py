"""The rank of a match by counting what is closer; nothing is sorted out.

Matches are measured first: the product of a few queries with the items of their
identities alone. Then the gallery passes by, tile after tile, and the mismatches
that are closer are counted; those of one identity are masked. So every value comes
from exactly one product, no match can count itself because a second product
rounded it differently, and counts add up over tiles, blocks and processes.
"""

import numpy as np
import torch
from torch import Tensor

from ..protocol import as_index
from .count_before import count_before
from .distance_sources import Source
from .query_groups import QueryGroup


def measure(
    source: Source,
    group: QueryGroup,
    queries: Tensor | np.ndarray,
    owned: tuple[int, int],
) -> np.ndarray:
    """Return how far the matches are, ``(B, P)``; 0 where not owned or void.

    Args:
        source: Gives the values.
        group: B queries.
        queries: What the source has of these.
        owned: First gallery item that the source has, and one more than its last.

    Raises:
        ValueError: A value isn't finite.
    """
    values = np.zeros(group.columns.shape, group.values.dtype)
    rows, slots = np.nonzero((group.columns >= owned[0]) & (group.columns < owned[1]))
    items = group.columns[rows, slots] - owned[0]
    needed, places = _in_order_of_need(items, owned[1] - owned[0])
    for first in range(0, len(needed), source.tile_width):
        some = needed[first : first + source.tile_width]
        gallery = source.gallery(some + owned[0])
        here = np.flatnonzero((places >= first) & (places < first + len(some)))
        # The fewer queries together, the fewer products with another's matches
        ends = np.flatnonzero(np.diff(rows[here] // source.least[0])) + 1
        for pairs in np.split(here, ends):
            values[rows[pairs], slots[pairs]] = _multiply(
                source, queries, gallery, rows[pairs], places[pairs] - first
            )
    if not np.isfinite(values).all():
        raise ValueError(
            f'A product of features overflows {values.dtype}: scale them down.'
        )
    return values


def _in_order_of_need(items: np.ndarray, total: int) -> tuple[np.ndarray, np.ndarray]:
    """List each item where it comes first, so that those of one identity are together.

    Args:
        items: Items of ``total``, ``(N,)``.
        total: How many there are.

    Returns:
        The list, and the place in it of each of the N.
    """
    numbers = np.arange(len(items))
    place = np.empty(total, np.int64)
    place[items[::-1]] = numbers[::-1]  # of several, the last that is written holds
    needed = items[place[items] == numbers]
    place[needed] = np.arange(len(needed))
    return needed, place[items]


def _multiply(
    source: Source,
    queries: Tensor | np.ndarray,
    gallery: Tensor | np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
) -> np.ndarray:
    """Return the values of some pairs from one product about them, ``(N,)``."""
    height, width = source.least
    top, bottom = _span(rows, height, len(queries))
    left, right = _span(columns, width, len(gallery))
    tile = source.values(queries[top:bottom], gallery[left:right])
    own = tile[as_index(rows - top, tile), as_index(columns - left, tile)]
    return own.cpu().numpy()


def _span(index: np.ndarray, least: int, length: int) -> tuple[int, int]:
    """Return where multiples of ``least`` that hold the index begin and end."""
    first, size = int(index.min()), int(np.ptp(index)) + 1
    size += -size % least
    first = max(0, min(first, length - size))
    return first, first + size


def count_closer(
    source: Source,
    group: QueryGroup,
    queries: Tensor | np.ndarray,
    gallery: Tensor | np.ndarray,
    first: int,
    width: int,
) -> np.ndarray:
    """Count mismatches in a tile before each right one, ``(B, P)``.

    Args:
        source: Gives the values.
        group: B queries whose matches are measured.
        queries: What the source has of these.
        gallery: What it has of the tile's items.
        first: Which gallery item the first of them is.
        width: How many they are.
    """
    tile = source.values(queries, gallery)[: len(group.queries)]
    rows, columns, slots = group.between(first, first + width)
    columns = columns - first
    _leave_out(tile, rows, columns, width)
    # An equal value counts in front of the match, but not behind it. In the tile
    # that holds the match, those in front of it are counted one by one.
    after_equal = np.nextafter(group.values, np.inf, dtype=group.values.dtype)
    limits = np.where(group.columns >= first + width, after_equal, group.values)
    right = slots >= 0
    return count_before(tile, limits, rows[right], slots[right], columns[right])


def _leave_out(tile: Tensor, rows: np.ndarray, columns: np.ndarray, width: int) -> None:
    """Put pairs of one identity, and what factors were padded with, behind all."""
    if tile.device.type == 'cpu':  # NumPy's indexing takes a tenth of the time
        values = tile.numpy()
        values[:, width:] = np.inf
        values[rows, columns] = np.inf
    else:
        tile[:, width:] = torch.inf
        tile[as_index(rows, tile), as_index(columns, tile)] = torch.inf

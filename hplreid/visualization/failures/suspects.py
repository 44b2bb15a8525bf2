"""Labels that features contradict, to be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from hplreid.evaluation.inspection import ItemSuspect, PairSuspect
from hplreid.structures.ranked_list import RankedItem

from ..figures import FigureError
from ..item_cells import GAP, LABEL, cell_size, describe, draw_item, new_sheet, write

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_HEAD = 0.3
_PER_ROW = 3
_EACH = 3  # items of an identity


def draw_pair_suspects(
    items: Sequence[RankedItem], suspects: Sequence[PairSuspect], num: int = 6
) -> Figure:
    """Draw two identities that may be one person, items of both side by side.

    Args:
        items: The items whose features were searched.
        suspects: See :func:`.suspect_pairs`.
        num: How many pairs to draw.

    Raises:
        FigureError: There are none.
        FileNotFoundError: An image is missing.

    Example:
        >>> items = [RankedItem(None, f'coat {pid}', pid, 0) for pid in (1, 1, 2, 2)]
        >>> suspect = PairSuspect((1, 2), between=0.9, within=0.8, items=(0, 2))
        >>> figure = draw_pair_suspects(items, [suspect])
        >>> figure.axes[0].texts[0].get_text()
        'ids 1 and 2: 0.900 between, 0.800 within'
    """
    if not suspects:
        raise FigureError('No two identities are as similar as one is to itself.')
    pids = np.array([item.pid for item in items])
    rows = []
    for suspect in suspects[:num]:
        a, b = suspect.pids
        head = (
            f'ids {a} and {b}: {suspect.between:.3f} between, '
            f'{suspect.within:.3f} within'
        )
        sides = [
            _first_items(pids, pid, item)
            for pid, item in zip(suspect.pids, suspect.items, strict=True)
        ]
        rows.append((head, [[('match', items[i]) for i in side] for side in sides]))
    return _draw_rows(rows, 'One person with two identities?')


def draw_item_suspects(
    items: Sequence[RankedItem], suspects: Sequence[ItemSuspect], num: int = 6
) -> Figure:
    """Draw items that may be of another identity: own ones left, the other's right.

    Args:
        items: The items whose features were searched.
        suspects: See :func:`.suspect_items`.
        num: How many to draw.

    Raises:
        FigureError: There are none.
        FileNotFoundError: An image is missing.

    Example:
        >>> items = [RankedItem(None, f'coat {pid}', pid, 0) for pid in (1, 1, 2, 2)]
        >>> suspect = ItemSuspect(item=1, pid=1, other=2, own=0.5, theirs=0.75)
        >>> figure = draw_item_suspects(items, [suspect])
        >>> figure.axes[0].texts[0].get_text()
        'id 1, or 2? 0.500 to its own, 0.750 to those'
    """
    if not suspects:
        raise FigureError(
            'No item is more similar to another identity than to its own.'
        )
    pids = np.array([item.pid for item in items])
    rows = []
    for suspect in suspects[:num]:
        head = (
            f'id {suspect.pid}, or {suspect.other}? {suspect.own:.3f} to its own, '
            f'{suspect.theirs:.3f} to those'
        )
        own = _first_items(pids, suspect.pid, suspect.item)
        theirs = np.flatnonzero(pids == suspect.other)[:_EACH]
        left = [('query' if i == suspect.item else 'match', items[i]) for i in own]
        rows.append((head, [left, [('mismatch', items[i]) for i in theirs]]))
    return _draw_rows(rows, 'Images with the label of another person?')


def _first_items(pids: np.ndarray, pid: int, first: int) -> list[int]:
    """Return some items of an identity, a given one first."""
    others = [int(i) for i in np.flatnonzero(pids == pid) if i != first]
    return [first, *others[: _EACH - 1]]


def _draw_rows(
    rows: Sequence[tuple[str, list[list[tuple[str, RankedItem]]]]], title: str
) -> Figure:
    width, height = cell_size(rows[0][1][0][0][1])
    cell = 2 * _EACH * (width + GAP) + 3 * GAP
    step = _HEAD + height + LABEL + 2 * GAP
    columns = min(_PER_ROW, len(rows), max(1, round(21 / cell)))
    figure, axes = new_sheet(columns * cell, -(-len(rows) // columns) * step, title)
    for number, (head, sides) in enumerate(rows):
        x, y = (number % columns) * cell, (number // columns) * step
        write(axes, (x, y), head, weight='bold')
        for side, members in enumerate(sides):
            left = x + side * (_EACH * (width + GAP) + GAP)
            for place, (mark, item) in enumerate(members):
                corner = left + place * (width + GAP), y + _HEAD
                draw_item(axes, item, corner, mark)
                write(axes, (corner[0], corner[1] + height), describe(item))
    return figure

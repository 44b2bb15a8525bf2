"""Draw the lists of several models one over the other, as papers print them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hplreid.structures.ranked_list import RankedList

from ..figures import FigureError
from ..item_cells import (
    GAP,
    LABEL,
    MARKS,
    cell_size,
    describe,
    draw_item,
    new_sheet,
    write,
)
from .compare_lists import ComparedQuery

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_HEAD, _BELOW = 0.3, 0.35  # above a list, and below those of a query


def draw_stacked_lists(queries: Sequence[ComparedQuery], title: str = '') -> Figure:
    """Draw what each model finds for each query, nearest first.

    A match has a solid green frame and a check, another identity a dashed orange frame
    and a cross, and what the protocol leaves out a dotted gray one and no rank. Below
    each item stand its rank, its score, its identity and its camera. A caption is
    written out: its text is made smaller until it fits, no word is cut.

    Args:
        queries: At least one; all have lists of equal length of the same models.
        title: Line above.

    Raises:
        FigureError: There is nothing to draw.
        FileNotFoundError: An image is missing.

    Example:
        >>> from hplreid.structures.ranked_list import RankedItem, RankedList
        >>> item = RankedItem(None, 'a man in a red coat', pid=7, camid=0)
        >>> ranked = RankedList(item, (item,), scores=(0.9,), marks=('match',))
        >>> query = ComparedQuery({'ours': ranked}, {'ours': 100.0})
        >>> texts = [t.get_text() for t in draw_stacked_lists([query]).axes[0].texts]
        >>> texts[2]
        'ours (AP 100.0)'
    """
    if not queries:
        raise FigureError('There is no query to draw.')
    first = next(iter(queries[0].lists.values()))
    query_width = cell_size(first.query)[0]
    item_width = max([cell_size(item)[0] for item in first.items] or [1.0])
    row_height = _HEAD + cell_size(first.query)[1] + LABEL + GAP
    heights = [len(query.lists) * row_height + _BELOW for query in queries]
    columns = max(len(r.items) for query in queries for r in query.lists.values())
    width = query_width + 3 * GAP + columns * (item_width + GAP)
    figure, axes = new_sheet(width, sum(heights), title)
    top = 0.0
    for query, height in zip(queries, heights, strict=True):
        ranked = next(iter(query.lists.values()))
        draw_item(axes, ranked.query, (0, top + _HEAD), 'query')
        below = top + _HEAD + cell_size(ranked.query)[1]
        write(axes, (0, below), f'query\n{describe(ranked.query)}')
        for number, (name, found) in enumerate(query.lists.items()):
            y = top + number * row_height
            head = f'{name} (AP {query.scores[name]:.1f})'
            write(axes, (query_width + 3 * GAP, y + 0.02), head, weight='bold')
            corner = query_width + 3 * GAP, y + _HEAD
            _draw_list(axes, found, corner, item_width + GAP)
        top += height
        if top < sum(heights):
            axes.plot([0, width - GAP], [top - _BELOW / 2] * 2, color='0.8', lw=0.6)
    return figure


def _draw_list(
    axes: Axes, found: RankedList, corner: tuple[float, float], step: float
) -> None:
    rank = 0
    for place, (item, score, mark) in enumerate(
        zip(found.items, found.scores, found.marks, strict=True)
    ):
        rank += mark != 'ignored'  # what is left out has no rank
        sign = MARKS[mark][2]
        x, y = corner[0] + place * step, corner[1]
        draw_item(axes, item, (x, y), mark)
        number = rank if mark != 'ignored' else '-'
        label = f'{number} {sign} {score:.3f}\n{describe(item)}'
        write(axes, (x, y + cell_size(item)[1]), label)

"""Draw the lists of several models one over the other, as papers print them."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hplreid.structures.ranked_list import RankedItem, RankedList

from ..figures import FigureError, new_figure
from .compare_lists import ComparedQuery

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Marks differ in the line and the sign as well: a print in gray can be read
_MARKS: dict[str, tuple[str, Any, str]] = {
    'match': ('#009e73', 'solid', '\N{CHECK MARK}'),
    'mismatch': ('#d55e00', (0, (3, 1.2)), '\N{BALLOT X}'),
    'ignored': ('#8c8c8c', (0, (1, 1)), '-'),
}
_QUERY = '#0072b2'
# In widths of an image, of which one is so many inches
_INCH = 0.72
_IMAGE, _CAPTION = (1.0, 2.0), (2.6, 2.0)
_GAP, _LABEL, _HEAD, _BELOW = 0.16, 0.46, 0.3, 0.35
_SIZE = 7.0  # of the text, points


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
    query_width = _cell(first.query)[0]
    item_width = max([_cell(item)[0] for item in first.items] or [1.0])
    row_height = _HEAD + _IMAGE[1] + _LABEL + _GAP
    heights = [len(query.lists) * row_height + _BELOW for query in queries]
    columns = max(len(r.items) for query in queries for r in query.lists.values())
    width = query_width + 3 * _GAP + columns * (item_width + _GAP)
    figure = new_figure(width * _INCH, sum(heights) * _INCH + 0.35 * bool(title), title)
    axes = figure.add_subplot()
    axes.set(xlim=(-_GAP / 2, width), ylim=(sum(heights), 0), aspect='equal')
    axes.axis('off')
    top = 0.0
    for query, height in zip(queries, heights, strict=True):
        ranked = next(iter(query.lists.values()))
        _draw_item(axes, ranked.query, (0, top + _HEAD), _QUERY, 'solid')
        below = top + _HEAD + _cell(ranked.query)[1]
        _write(axes, (0, below), f'query\n{_describe(ranked.query)}')
        for number, (name, found) in enumerate(query.lists.items()):
            y = top + number * row_height
            head = f'{name} (AP {query.scores[name]:.1f})'
            _write(axes, (query_width + 3 * _GAP, y + 0.02), head, weight='bold')
            corner = query_width + 3 * _GAP, y + _HEAD
            _draw_list(axes, found, corner, item_width + _GAP)
        top += height
        if top < sum(heights):
            axes.plot([0, width - _GAP], [top - _BELOW / 2] * 2, color='0.8', lw=0.6)
    return figure


def _draw_list(
    axes: Axes, found: RankedList, corner: tuple[float, float], step: float
) -> None:
    rank = 0
    for place, (item, score, mark) in enumerate(
        zip(found.items, found.scores, found.marks, strict=True)
    ):
        rank += mark != 'ignored'  # what is left out has no rank
        color, line, sign = _MARKS[mark]
        x, y = corner[0] + place * step, corner[1]
        _draw_item(axes, item, (x, y), color, line)
        number = rank if mark != 'ignored' else '-'
        label = f'{number} {sign} {score:.3f}\n{_describe(item)}'
        _write(axes, (x, y + _cell(item)[1]), label)


def _cell(item: RankedItem) -> tuple[float, float]:
    return _CAPTION if item.img_path is None else _IMAGE


def _draw_item(
    axes: Axes,
    item: RankedItem,
    corner: tuple[float, float],
    color: str,
    line: Any,  # noqa: ANN401
) -> None:
    from matplotlib.patches import Rectangle
    from PIL import Image

    (x, y), (width, height) = corner, _cell(item)
    if item.img_path is None:
        _write_caption(axes, item.caption or '', corner)
    else:
        with Image.open(item.img_path) as opened:
            image = opened.convert('RGB')
        # Whole, in the middle of its cell
        scale = min(width / image.width, height / image.height)
        w, h = image.width * scale, image.height * scale
        left, upper = x + (width - w) / 2, y + (height - h) / 2
        axes.imshow(
            image,
            extent=(left, left + w, upper + h, upper),
            aspect='equal',
            interpolation='antialiased',
            zorder=1,
        )
    frame = Rectangle(
        corner, width, height, fill=False, edgecolor=color, lw=2, linestyle=line
    )
    frame.set(zorder=2, clip_on=False)
    axes.add_patch(frame)


def _write_caption(axes: Axes, caption: str, corner: tuple[float, float]) -> None:
    """Write a caption into its cell, whole."""
    margin = 0.1
    width = (_CAPTION[0] - 2 * margin) * _INCH * 72  # points
    height = (_CAPTION[1] - 2 * margin) * _INCH * 72
    size = _SIZE + 1
    while True:
        # Of the font of matplotlib, a letter is 0.6 of its size wide at most on average
        letters = max(int(width / (0.58 * size)), 1)
        lines = textwrap.wrap(
            caption, letters, break_long_words=False, break_on_hyphens=False
        )
        if len(lines) * 1.25 * size <= height or size < 3:
            break
        size -= 0.25
    axes.text(
        corner[0] + margin,
        corner[1] + margin,
        '\n'.join(lines),
        va='top',
        fontsize=size,
        linespacing=1.15,
        parse_math=False,
    )


def _write(
    axes: Axes, place: tuple[float, float], text: str, weight: str = 'normal'
) -> None:
    axes.text(
        place[0],
        place[1] + 0.04,
        text,
        va='top',
        fontsize=_SIZE if weight == 'bold' else _SIZE - 1,
        fontweight=weight,
        linespacing=1.1,
        parse_math=False,
    )


def _describe(item: RankedItem) -> str:
    camera = '' if item.camid < 0 else f', cam {item.camid}'
    return f'id {item.pid}{camera}'

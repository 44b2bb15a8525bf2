"""Images and captions as cells of a figure, with their labels."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hplreid.structures.ranked_list import RankedItem

from .figures import new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Lengths are in widths of an image, of which one is so many inches
INCH = 0.72
GAP = 0.16
LABEL = 0.46  # height of two lines
_IMAGE, _CAPTION = (1.0, 2.0), (2.6, 2.0)
_SIZE = 7.0  # of the text, points

# Marks differ in the line and the sign as well: a print in gray can be read
MARKS: Mapping[str, tuple[str, Any, str]] = {
    'query': ('#0072b2', 'solid', ''),
    'match': ('#009e73', 'solid', '\N{CHECK MARK}'),
    'mismatch': ('#d55e00', (0, (3, 1.2)), '\N{BALLOT X}'),
    'ignored': ('#8c8c8c', (0, (1, 1)), '-'),
}
"""Color and line of a frame, and the sign in a label, by the mark of an item."""


def new_sheet(width: float, height: float, title: str) -> tuple[Figure, Axes]:
    """Return a figure whose one panel has the width of an image as its unit."""
    figure = new_figure(width * INCH, height * INCH + 0.35 * bool(title), title)
    axes = figure.add_subplot()
    axes.set(xlim=(-GAP / 2, width), ylim=(height, 0), aspect='equal')
    axes.axis('off')
    return figure, axes


def cell_size(item: RankedItem) -> tuple[float, float]:
    """Return width and height of the cell of an item."""
    return _CAPTION if item.img_path is None else _IMAGE


def draw_item(
    axes: Axes, item: RankedItem, corner: tuple[float, float], mark: str
) -> None:
    """Draw an image, whole, or a caption, every word of it, in a frame.

    Args:
        axes: A panel of :func:`new_sheet`.
        item: The image or the caption.
        corner: Left and upper end of its cell.
        mark: A key of ``MARKS``.

    Raises:
        FileNotFoundError: The image is missing.
    """
    from matplotlib.patches import Rectangle
    from PIL import Image

    color, line, _ = MARKS[mark]
    (x, y), (width, height) = corner, cell_size(item)
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
    width = (_CAPTION[0] - 2 * margin) * INCH * 72  # points
    height = (_CAPTION[1] - 2 * margin) * INCH * 72
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


def write(
    axes: Axes, place: tuple[float, float], text: str, weight: str = 'normal'
) -> None:
    """Write lines below and right of a place."""
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


def describe(item: RankedItem) -> str:
    """Return identity and camera in words."""
    camera = '' if item.camid < 0 else f', cam {item.camid}'
    return f'id {item.pid}{camera}'

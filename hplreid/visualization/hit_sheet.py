"""Drawings of what a search in a gallery found, with cameras, times and thresholds."""

from collections.abc import Sequence
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageOps

from .ranked_list import draw_caption, fit_image
from .text import INK, LINE, PAPER, load_font

_GAP, _BORDER = 8, 3
_COLORS = {
    'query': (35, 80, 170),
    'hit': (190, 190, 190),
    'accepted': (20, 140, 60),
    'rejected': (200, 120, 20),
}


class HitCell(NamedTuple):
    """An image or a caption of a sheet.

    Attributes:
        content: What is drawn.
        lines: Text under it; what is too long is cut.
        kind: ``'query'``; or ``'hit'``, ``'accepted'`` by a threshold, ``'rejected'``.
    """

    content: Image.Image | str
    lines: Sequence[str] = ()
    kind: str = 'hit'


def draw_hits(
    query: Sequence[HitCell],
    hits: Sequence[HitCell],
    title: str = '',
    columns: int = 10,
    cell_size: tuple[int, int] = (96, 192),
) -> Image.Image:
    """Draw a query above its hits, nearest first.

    Args:
        query: Its images and captions.
        hits: What was found.
        title: A line at the top.
        columns: Cells of a row.
        cell_size: Width and height of an image, pixels; a caption is twice as wide.

    Returns:
        The drawing, RGB.

    Raises:
        ValueError: There is no query.

    Example:
        >>> red = Image.new('RGB', (4, 8), 'red')
        >>> words = HitCell('a red coat', kind='query')
        >>> draw_hits([words], [HitCell(red, ['1  0.512', 'north'])]).mode
        'RGB'
    """
    if not query:
        raise ValueError('There is no query to draw.')
    depth = max((len(cell.lines) for cell in hits), default=0)
    drawn = [
        *_in_rows([_draw(cell, cell_size, 1) for cell in query], columns),
        *_in_rows([_draw(cell, cell_size, depth) for cell in hits], columns),
    ]
    top = LINE + _GAP if title else 0
    width = max(sum(c.width + _GAP for c in row) for row in drawn) + _GAP
    width = max(width, round(load_font().getlength(title)) + 2 * _GAP)
    height = sum(max(c.height for c in row) + _GAP for row in drawn) + _GAP + top
    page = Image.new('RGB', (width, height), PAPER)
    ImageDraw.Draw(page).text((_GAP, _GAP), title, INK, font=load_font())
    y = _GAP + top
    for row in drawn:
        x = _GAP
        for cell in row:
            page.paste(cell, (x, y))
            x += cell.width + _GAP
        y += max(cell.height for cell in row) + _GAP
    return page


def _in_rows(cells: list[Image.Image], columns: int) -> list[list[Image.Image]]:
    return [cells[start : start + columns] for start in range(0, len(cells), columns)]


def _draw(cell: HitCell, size: tuple[int, int], depth: int) -> Image.Image:
    if isinstance(cell.content, str):
        content = draw_caption(cell.content, (2 * size[0], size[1]))
    else:
        content = fit_image(cell.content, size)
    framed = ImageOps.expand(content, _BORDER, _COLORS[cell.kind])
    page = Image.new('RGB', (framed.width, framed.height + depth * LINE + 2), PAPER)
    page.paste(framed, (0, 0))
    draw = ImageDraw.Draw(page)
    for number, line in enumerate(cell.lines[:depth]):
        text = _cut(line, framed.width - 2)
        draw.text((2, framed.height + 1 + number * LINE), text, INK, font=load_font())
    return page


def _cut(text: str, width: float) -> str:
    font = load_font()
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + '…') > width:
        text = text[:-1]
    return text + '…'

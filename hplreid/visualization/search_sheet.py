"""Drawings of searches: a query, and what was found for it, of unknown identity."""

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageOps

from .ranked_list import draw_caption, fit_image
from .text import INK, LINE, PAPER, load_font

_GAP, _BORDER = 8, 3
Color = tuple[int, int, int]
_QUERY, _HIT = (35, 80, 170), (190, 190, 190)


def draw_search(
    queries: Sequence[str | Image.Image],
    found: Sequence[Sequence[Image.Image]],
    scores: Sequence[Sequence[float]],
    cell_size: tuple[int, int] = (96, 192),
) -> Image.Image:
    """Draw queries under each other, each with what was found for it, nearest first.

    Args:
        queries: Captions and images.
        found: The images found for each.
        scores: Their similarities.
        cell_size: Width and height of an image, pixels; a caption is twice as wide.

    Returns:
        The drawing, RGB.

    Raises:
        ValueError: There is nothing to draw.

    Example:
        >>> red = Image.new('RGB', (4, 8), 'red')
        >>> draw_search(['a red coat', red], [[red], [red]], [[0.9], [1.0]]).mode
        'RGB'
    """
    if not queries:
        raise ValueError('There are no queries to draw.')
    rows = [
        _draw_row(query, images, values, cell_size)
        for query, images, values in zip(queries, found, scores, strict=True)
    ]
    size = max(row.width for row in rows), sum(row.height for row in rows)
    page = Image.new('RGB', size, PAPER)
    y = 0
    for row in rows:
        page.paste(row, (0, y))
        y += row.height
    return page


def _draw_row(
    query: str | Image.Image,
    images: Sequence[Image.Image],
    scores: Sequence[float],
    size: tuple[int, int],
) -> Image.Image:
    if isinstance(query, str):
        content = draw_caption(query, (2 * size[0], size[1]))
    else:
        content = fit_image(query, size)
    cells = [_frame(content, _QUERY, 'query')]
    for rank, (image, score) in enumerate(zip(images, scores, strict=True), 1):
        cells.append(_frame(fit_image(image, size), _HIT, f'{rank}  {score:.3f}'))
    width = sum(cell.width + _GAP for cell in cells) + 3 * _GAP
    row = Image.new('RGB', (width, cells[0].height + 2 * _GAP), PAPER)
    x = _GAP
    for number, cell in enumerate(cells):  # the query stands apart
        row.paste(cell, (x, _GAP))
        x += cell.width + _GAP * (3 if number == 0 else 1)
    return row


def _frame(
    content: Image.Image, color: tuple[int, int, int], label: str
) -> Image.Image:
    framed = ImageOps.expand(content, _BORDER, color)
    cell = Image.new('RGB', (framed.width, framed.height + LINE + 2), PAPER)
    cell.paste(framed, (0, 0))
    ImageDraw.Draw(cell).text((2, framed.height + 1), label, INK, font=load_font())
    return cell

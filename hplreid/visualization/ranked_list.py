"""Drawings of ranked lists: a query, and its nearest gallery items beside it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from hplreid.datasets.images.image_files import read_image
from hplreid.registry import VISUALIZERS
from hplreid.structures.ranked_list import RankedItem, RankedList

from .run_visualizer import RunVisualizer
from .text import FONT_SIZE, INK, LINE, PAPER, load_font, wrap_text

# Green and red that people with red-green blindness tell apart by lightness.
COLORS = {
    'match': (20, 150, 60),
    'mismatch': (205, 30, 45),
    'ignored': (140, 140, 140),
    'query': (35, 80, 170),
}
_SIGNS = {'match': '+', 'mismatch': 'x', 'ignored': '-'}
_BORDER = 4
_GAP = 8
_SMALLEST = 9  # letters that can be read, pixels


def draw_ranked_list(
    ranked: RankedList, cell_size: tuple[int, int] = (96, 192)
) -> Image.Image:
    """Draw a query and the gallery items found for it, nearest first.

    Borders are green for the query's identity, red for others and gray for items that
    the protocol leaves out; the label says it with a sign as well (+ and x). Below each
    item stand its rank, its score, its identity and its camera, and the caption of an
    image that has one. A caption alone is drawn as text, in a cell twice as wide and in
    letters that let it fit: no word is cut or left out.

    Args:
        ranked: What to draw; images are read from their paths.
        cell_size: Width and height of an image, pixels. Images keep their
            proportions.

    Returns:
        The drawing, RGB.

    Raises:
        FileNotFoundError: An image is missing.

    Example:
        >>> from hplreid.visualization import draw_ranked_list
        >>> from hplreid.structures.ranked_list import RankedItem, RankedList
        >>> query = RankedItem(None, 'a man in a red coat', pid=7, camid=0)
        >>> found = RankedItem(None, 'a red coat', pid=7, camid=1)
        >>> ranked = RankedList(query, (found,), scores=(0.9,), marks=('match',))
        >>> draw_ranked_list(ranked).mode
        'RGB'
    """
    cells = [_draw_cell(ranked.query, cell_size, 'query', _label(ranked.query))]
    rank = 0
    for item, score, mark in zip(
        ranked.items, ranked.scores, ranked.marks, strict=True
    ):
        # The rank is the one that scores count: what is left out has none.
        rank += mark != 'ignored'
        sign = _SIGNS[mark]
        head = f'{rank if mark != "ignored" else "-"} {sign} {score:.3f}'
        cells.append(_draw_cell(item, cell_size, mark, f'{head}\n{_label(item)}'))
    # The query stands apart from what was found.
    width = sum(cell.width + _GAP for cell in cells) + 3 * _GAP
    height = max(cell.height for cell in cells) + 2 * _GAP
    sheet = Image.new('RGB', (width, height), PAPER)
    x = _GAP
    for number, cell in enumerate(cells):
        sheet.paste(cell, (x, _GAP))
        x += cell.width + _GAP * (3 if number == 0 else 1)
    return sheet


def draw_ranked_lists(
    ranked: Sequence[RankedList],
    cell_size: tuple[int, int] = (96, 192),
    title: str | None = None,
) -> Image.Image:
    """Draw ranked lists under each other, with a key to the colors.

    Args:
        ranked: At least one.
        cell_size: Width and height of an image, pixels.
        title: First line.

    Returns:
        The drawing, RGB.

    Raises:
        ValueError: There is nothing to draw.

    Example:
        >>> from hplreid.visualization import draw_ranked_lists
        >>> from hplreid.structures.ranked_list import RankedItem, RankedList
        >>> query = RankedItem(None, 'a man in a red coat', pid=7, camid=0)
        >>> ranked = RankedList(query, (query,), scores=(1.0,), marks=('match',))
        >>> page = draw_ranked_lists([ranked, ranked], title='two queries')
        >>> page.height > page.width
        True
    """
    if not ranked:
        raise ValueError('There is no ranked list to draw.')
    rows = [draw_ranked_list(r, cell_size) for r in ranked]
    head = LINE + 2 * _GAP
    size = max(row.width for row in rows), head + sum(row.height for row in rows)
    page = Image.new('RGB', size, PAPER)
    draw = ImageDraw.Draw(page)
    x = float(_GAP)
    for text, color in (
        (title or '', INK),
        ('query', COLORS['query']),
        ('+ same identity', COLORS['match']),
        ('x other identity', COLORS['mismatch']),
        ('- left out: same identity and camera, or junk', COLORS['ignored']),
    ):
        if text:
            draw.text((x, _GAP), text, color, font=load_font())
            x += draw.textlength(text, font=load_font()) + 3 * _GAP
    y = head
    for row in rows:
        page.paste(row, (0, y))
        y += row.height
    return page


def _draw_cell(
    item: RankedItem, size: tuple[int, int], mark: str, label: str
) -> Image.Image:
    width, height = size
    content = (
        draw_caption(item.caption or '', (2 * width, height))
        if item.img_path is None
        else fit_image(read_image(item.img_path), size)
    )
    framed = ImageOps.expand(content, _BORDER, COLORS[mark])
    text = f'{label}\n{item.caption}' if _has_both(item) else label
    font = load_font()
    longest = max(font.getlength(word) for word in text.split())
    width = max(framed.width, round(longest) + 3)  # no word is cut
    lines = [
        part for line in text.splitlines() for part in wrap_text(line, width - 2, font)
    ]
    height = framed.height + LINE * len(lines) + 2
    cell = Image.new('RGB', (width, height), PAPER)
    cell.paste(framed, (0, 0))
    draw = ImageDraw.Draw(cell)
    for number, line in enumerate(lines):
        place = 2, framed.height + 1 + number * LINE
        draw.text(place, line, INK, font=font)
    return cell


def _has_both(item: RankedItem) -> bool:
    return item.img_path is not None and bool(item.caption)


def fit_image(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return an image at a size, in its proportions, on gray."""
    return ImageOps.pad(image, size, color=(235, 235, 235))


def draw_caption(caption: str, size: tuple[int, int]) -> Image.Image:
    """Return a caption as an image, whole: letters shrink and it widens to fit."""
    width, height = size
    letters = FONT_SIZE
    while True:
        font = load_font(letters)
        line = round(LINE * letters / FONT_SIZE)
        lines = wrap_text(caption, width - 2 * _GAP, font)
        if len(lines) * line <= height - 2 * _GAP and _words_whole(caption, lines):
            break
        if letters > _SMALLEST:
            letters -= 1
        else:
            width += size[0] // 2
    canvas = Image.new('RGB', (width, height), PAPER)
    draw = ImageDraw.Draw(canvas)
    for number, text in enumerate(lines):
        draw.text((_GAP, _GAP + number * line), text, INK, font=font)
    return canvas


def _words_whole(caption: str, lines: Sequence[str]) -> bool:
    return ' '.join(lines).split() == caption.split()


def _label(item: RankedItem) -> str:
    camera = '' if item.camid is None or item.camid < 0 else f' cam {item.camid}'
    return f'id {item.pid}{camera}'


@VISUALIZERS.register_module()
class RankedListVisualizer(RunVisualizer):
    """Draws ranked lists of a benchmark on one page, and gives it to the backends.

    It is MMEngine's visualizer in all else: as ``visualizer`` of a config it records
    the curves of a run, too.

    Args:
        cell_size: Width and height of an image, pixels.
        name: Its name in the process.
        **kwargs: See ``mmengine.visualization.Visualizer``: ``vis_backends`` and
            ``save_dir``.

    Raises:
        ValueError: The cells are too small for their labels.

    Example:
        >>> from pathlib import Path
        >>> from hplreid.visualization import RankedListVisualizer
        >>> from hplreid.structures.ranked_list import RankedItem, RankedList
        >>> query = RankedItem(None, 'a man in a red coat', pid=7, camid=0)
        >>> ranked = RankedList(query, (query,), scores=(1.0,), marks=('match',))
        >>> backends = [dict(type='LocalVisBackend')]
        >>> visualizer = RankedListVisualizer(vis_backends=backends, save_dir='out')
        >>> visualizer.add_datasample('toy', data_sample=[ranked], step=3)
        >>> [path.name for path in Path('out').rglob('*.png')]
        ['toy_3.png']
    """

    def __init__(
        self,
        cell_size: tuple[int, int] = (96, 192),
        name: str = 'visualizer',
        **kwargs: Any,  # noqa: ANN401
    ) -> None:
        width, height = cell_size
        if min(width, height) < 3 * LINE:
            raise ValueError(
                f'cell_size must be at least {3 * LINE} each way; got {cell_size}.'
            )
        super().__init__(name, **kwargs)
        self.cell_size = width, height

    def draw(self, ranked: Sequence[RankedList], title: str) -> Image.Image:
        """Draw ranked lists under each other; see :func:`draw_ranked_lists`."""
        return draw_ranked_lists(ranked, self.cell_size, title)

    def add_datasample(
        self,
        name: str,
        image: np.ndarray | None = None,
        data_sample: Sequence[RankedList] = (),
        *,
        step: int = 0,
    ) -> None:
        """Draw ranked lists and give the page to all backends.

        Args:
            name: Name of the image in the backends, and its title. One with a slash is
                no name of a file, which ``LocalVisBackend`` makes of it.
            image: Not used: the lists know their images.
            data_sample: What to draw.
            step: Step of training.

        Raises:
            ValueError: There is no list.
            FileNotFoundError: An image is missing.
        """
        self.add_image(name, np.asarray(self.draw(data_sample, name)), step)

"""Sheets of samples: the output of a pipeline, as the model gets it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PIL import Image, ImageDraw, ImageOps

from .text import INK, LINE, PAPER, load_font, wrap_text

Mark = Literal['plain', 'masked', 'exchanged']
MARKS = {'plain': INK, 'masked': (205, 30, 45), 'exchanged': (200, 110, 0)}
# Okabe and Ito's colors, which people with any color vision tell apart
IDENTITIES = (
    (0, 114, 178),
    (230, 159, 0),
    (0, 158, 115),
    (204, 121, 167),
    (86, 180, 233),
    (213, 94, 0),
    (120, 120, 120),
    (240, 228, 66),
)
_BORDER = 4
_GAP = 8
_TEXT_WIDTH = 230
_PAGE_WIDTH = 1500
_LEAST_HEIGHT = 256  # smaller images are enlarged by a whole factor
_CAPTION_HEIGHT = 144  # of a caption alone


@dataclass(frozen=True)
class Token:
    """Text of a token, ending in a space if a word ends, and what was done to it."""

    text: str
    mark: Mark = 'plain'


@dataclass(frozen=True)
class SheetSample:
    """What is drawn of a sample.

    Attributes:
        image: The image, RGB; None for a caption alone.
        tokens: The caption; None for an image alone.
        label: Lines below.
        identity: Samples of one identity have borders of one color.
    """

    image: Image.Image | None
    tokens: tuple[Token, ...] | None
    label: tuple[str, ...]
    identity: int | str


def draw_sample_sheet(
    parts: Sequence[tuple[str, Sequence[SheetSample]]], head: Sequence[str]
) -> Image.Image:
    """Draw the parts of a batch under each other.

    The pixels of images are shown as they are, small images enlarged by a whole
    factor. Borders have a color for each identity; eight take turns. Masked tokens are
    red and exchanged ones orange.

    Args:
        parts: Heading and samples of each part of a batch.
        head: Lines on top; a long one is broken.

    Returns:
        The drawing, RGB.

    Raises:
        ValueError: There is nothing to draw.

    Example:
        >>> from PIL import Image
        >>> from hplreid.visualization import SheetSample, draw_sample_sheet
        >>> image = Image.new('RGB', (64, 128), 'red')
        >>> sample = SheetSample(image, None, ('a.jpg',), identity=7)
        >>> draw_sample_sheet([('images', [sample])], head=['one batch']).mode
        'RGB'
    """
    everything = [sample for _, samples in parts for sample in samples]
    if not everything:
        raise ValueError('There is no sample to draw.')
    identities = list(dict.fromkeys(s.identity for s in everything))
    colors = {
        identity: IDENTITIES[number % len(IDENTITIES)]
        for number, identity in enumerate(identities)
    }
    lines = [(line, INK) for line in _break_lines(head)]
    marks = {t.mark for s in everything for t in s.tokens or ()} - {'plain'}
    lines += [(f'{mark} tokens', MARKS[mark]) for mark in sorted(marks)]
    rows: list[Image.Image] = [_draw_lines(lines)]
    for heading, samples in parts:
        cells = [_draw_cell(sample, colors[sample.identity]) for sample in samples]
        rows += [_draw_lines([(heading, INK)]), *_arrange(cells)]
    return _stack(rows)


def _break_lines(lines: Sequence[str]) -> list[str]:
    font = load_font()
    return [part for line in lines for part in wrap_text(line, _PAGE_WIDTH, font)]


def _draw_lines(lines: Sequence[tuple[str, tuple[int, int, int]]]) -> Image.Image:
    font = load_font()
    width = max(round(font.getlength(text)) for text, _ in lines)
    image = Image.new('RGB', (width + _GAP, LINE * len(lines)), PAPER)
    draw = ImageDraw.Draw(image)
    for number, (text, color) in enumerate(lines):
        draw.text((0, number * LINE), text, color, font=font)
    return image


def _draw_cell(sample: SheetSample, color: tuple[int, int, int]) -> Image.Image:
    parts = []
    if sample.image is not None:
        parts.append(_enlarge(sample.image))
    if sample.tokens is not None:
        height = parts[0].height if parts else _CAPTION_HEIGHT
        parts.append(_draw_tokens(sample.tokens, height))
    content = Image.new(
        'RGB', (sum(p.width for p in parts), max(p.height for p in parts)), PAPER
    )
    x = 0
    for part in parts:
        content.paste(part, (x, 0))
        x += part.width
    framed = ImageOps.expand(content, _BORDER, color)
    cell = Image.new(
        'RGB', (framed.width, framed.height + LINE * len(sample.label)), PAPER
    )
    cell.paste(framed, (0, 0))
    draw = ImageDraw.Draw(cell)
    for number, line in enumerate(sample.label):
        text = _shorten(line, framed.width - 4)
        y = framed.height + number * LINE
        draw.text((2, y), text, INK, font=load_font())
    return cell


def _enlarge(image: Image.Image) -> Image.Image:
    factor = -(-_LEAST_HEIGHT // image.height)
    size = image.width * factor, image.height * factor
    return image.resize(size, Image.Resampling.NEAREST)


def _shorten(text: str, width: float) -> str:
    """Return a text of at most ``width`` pixels, its end if all doesn't fit."""
    font = load_font()
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f'...{text}') > width:
        text = text[1:]
    return f'...{text}'


def _draw_tokens(tokens: Sequence[Token], height: int) -> Image.Image:
    """Write tokens in lines, words whole, each token in the color of its mark."""
    font = load_font()
    canvas = Image.new('RGB', (_TEXT_WIDTH, height), PAPER)
    draw = ImageDraw.Draw(canvas)
    x, y = _GAP, _GAP
    for word in _words(tokens):
        length = font.getlength(''.join(t.text for t in word).rstrip())
        if x > _GAP and x + length > _TEXT_WIDTH - _GAP:
            if y + 2 * LINE > height:
                draw.text((x, y), '...', INK, font=font)
                break
            x, y = _GAP, y + LINE
        for token in word:
            draw.text((x, y), token.text, MARKS[token.mark], font=font)
            x += round(font.getlength(token.text))
    return canvas


def _words(tokens: Sequence[Token]) -> list[list[Token]]:
    words: list[list[Token]] = [[]]
    for token in tokens:
        words[-1].append(token)
        if token.text.endswith(' '):
            words.append([])
    return [word for word in words if word]


def _arrange(cells: Sequence[Image.Image]) -> list[Image.Image]:
    """Put cells side by side, as many as fit on the page."""
    width = max(cell.width for cell in cells)
    columns = max((_PAGE_WIDTH + _GAP) // (width + _GAP), 1)
    rows = []
    for first in range(0, len(cells), columns):
        chosen = cells[first : first + columns]
        row = Image.new(
            'RGB',
            (len(chosen) * (width + _GAP), max(cell.height for cell in chosen)),
            PAPER,
        )
        for number, cell in enumerate(chosen):
            row.paste(cell, (number * (width + _GAP), 0))
        rows.append(row)
    return rows


def _stack(rows: Sequence[Image.Image]) -> Image.Image:
    width = max(row.width for row in rows) + 2 * _GAP
    page = Image.new('RGB', (width, sum(r.height + _GAP for r in rows) + _GAP), PAPER)
    y = _GAP
    for row in rows:
        page.paste(row, (_GAP, y))
        y += row.height + _GAP
    return page

"""Drawings of relevance: maps over images, captions as colored words, curves.

More relevant is darker on a word and yellower on an image, in a color map whose
lightness rises with its value; a line goes around the patches that hold half of all
relevance, so that a print in gray, or any color vision, shows where they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from ..figures import FigureError, line_style, new_figure
from .faithfulness import PerturbationCurves

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_CELL = 1.25  # width of a panel, inches
_LINE = 0.27  # height of a line of words, inches
_FONT = 9  # of words, points


@dataclass(frozen=True)
class MapPanel:
    """A map over an image.

    Attributes:
        image: ``(H, W, 3)`` uint8.
        relevance: Shares of its patches, ``(rows, columns)``; None for the image alone.
        title: Line above.
    """

    image: np.ndarray
    relevance: np.ndarray | None = None
    title: str = ''


def half_mask(relevance: np.ndarray) -> np.ndarray:
    """Return the fewest patches that hold half of all relevance, bool.

    Example:
        >>> half_mask(np.array([[0.4, 0.1], [0.3, 0.2]]))
        array([[ True, False],
               [ True, False]])
    """
    flat = relevance.ravel()
    order = np.argsort(-flat, kind='stable')
    count = int(np.searchsorted(np.cumsum(flat[order]), flat.sum() / 2 - 1e-9)) + 1
    mask = np.zeros(flat.shape, dtype=bool)
    mask[order[:count]] = True
    return mask.reshape(relevance.shape)


def draw_maps(rows: Sequence[Sequence[MapPanel]], title: str = '') -> Figure:
    """Draw maps over images, a row for each sequence.

    Args:
        rows: Panels; rows may be of different lengths.
        title: Line above.

    Raises:
        FigureError: There is nothing to draw.

    Example:
        >>> image = np.zeros((8, 4, 3), np.uint8)
        >>> panel = MapPanel(image, np.full((2, 1), 0.5), 'v')
        >>> len(draw_maps([[MapPanel(image), panel]]).axes)
        2
    """
    if not rows or not all(rows):
        raise FigureError('There is no map to draw.')
    columns = max(len(row) for row in rows)
    height, width = rows[0][0].image.shape[:2]
    tall = _CELL * height / width + 0.4
    figure = new_figure(
        max(columns * _CELL, 3) + 0.2, len(rows) * tall + 0.4 * bool(title), title
    )
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for row, panels in zip(grid, rows, strict=True):
        for number, axes in enumerate(row):
            if number < len(panels):
                _draw_panel(axes, panels[number])
            else:
                axes.remove()
    return figure


def draw_feature_maps(
    pixels: Tensor,
    titles: Sequence[str],
    maps: Mapping[str, Tensor],
    title: str = '',
) -> Figure:
    """Draw images, each with its map of every feature beside it.

    Args:
        pixels: The images, uint8 ``(B, 3, H, W)``.
        titles: A name for each, which is cut at its beginning if it's long.
        maps: Maps ``(B, rows, columns)`` by the name of the feature.
        title: Line above.

    Raises:
        FigureError: There is no image.

    Example:
        >>> import torch
        >>> pixels = torch.zeros(2, 3, 8, 4, dtype=torch.uint8)
        >>> maps = {'v': torch.ones(2, 2, 1) / 2}
        >>> len(draw_feature_maps(pixels, ['a', 'b'], maps).axes)
        4
    """
    rows = []
    for number, name in enumerate(titles):
        image = to_array(pixels[number])
        panels = [MapPanel(image, title=shorten(name))]
        for feature, found in maps.items():
            panels.append(MapPanel(image, found[number].cpu().numpy(), feature))
        rows.append(panels)
    return draw_maps(rows, title)


def shorten(name: str, most: int = 16) -> str:
    """Return a name that fits above a panel.

    Example:
        >>> shorten('0001_c3s3_000034_01')
        '...1_c3s3_000034_01'
    """
    return name if len(name) <= most else f'...{name[-most:]}'


def _draw_panel(axes: Axes, panel: MapPanel) -> None:
    height, width = panel.image.shape[:2]
    extent = (0, width, height, 0)
    axes.set_axis_off()
    axes.set_title(panel.title, fontsize=7)
    if panel.relevance is None:
        axes.imshow(panel.image, extent=extent, interpolation='nearest')
        return
    gray = panel.image @ np.array([0.299, 0.587, 0.114])
    axes.imshow(gray, cmap='gray', vmin=0, vmax=255, extent=extent)
    shown = panel.relevance / max(float(panel.relevance.max()), 1e-30)
    axes.imshow(
        shown,
        cmap='cividis',
        vmin=0,
        vmax=1,
        extent=extent,
        interpolation='bilinear',
        alpha=0.6,
    )
    lines = list(_borders(half_mask(panel.relevance), width, height))
    for color, thick in (('black', 2.4), ('white', 1.0)):
        for xs, ys in lines:
            axes.plot(xs, ys, color=color, linewidth=thick, solid_capstyle='round')
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)


def _borders(mask: np.ndarray, width: int, height: int) -> Any:  # noqa: ANN401
    """Yield the ends of the lines around a mask's patches, in pixels."""
    rows, columns = mask.shape
    across, down = width / columns, height / rows
    padded = np.pad(mask, 1)
    for row, column in np.argwhere(padded[:, :-1] != padded[:, 1:]):
        x, y = column * across, (row - 1) * down
        yield (x, x), (y, y + down)
    for row, column in np.argwhere(padded[:-1] != padded[1:]):
        x, y = (column - 1) * across, row * down
        yield (x, x + across), (y, y)


def draw_words(
    words: Sequence[tuple[str, float]], width: float = 6.0, title: str = ''
) -> Figure:
    """Draw a caption, darker behind the words that are more relevant.

    Args:
        words: The words and their shares of relevance.
        width: Of the figure, inches.
        title: Line above.

    Raises:
        FigureError: There is no word.

    Example:
        >>> words = [('a', 0.1), ('red', 0.6), ('shirt', 0.3)]
        >>> draw_words(words, title='toy').get_suptitle()
        'toy'
    """
    lines = _break_lines(words, width)
    high = len(lines) * _LINE + 0.15
    figure = new_figure(width, high + 0.35 * bool(title), title)
    _write_words(figure.subplots(), lines)
    return figure


def _write_words(axes: Axes, lines: Sequence[Sequence[tuple[str, float]]]) -> None:
    """Write lines of colored words on axes, which get no ticks and no frame."""
    from matplotlib import colormaps
    from matplotlib.offsetbox import AnchoredOffsetbox, HPacker, TextArea, VPacker

    most = max(max(share for line in lines for _, share in line), 1e-30)
    packed: list[Artist] = []
    for line in lines:
        areas: list[Artist] = []
        for word, share in line:
            level = share / most
            # Up to a shade that black can be read on
            color = colormaps['Blues'](0.6 * level)
            style: dict[str, Any] = dict(
                fontsize=_FONT,
                family='monospace',
                weight='bold' if level > 0.5 else 'normal',
                bbox=dict(facecolor=color, edgecolor='none', pad=1.5),
            )
            areas.append(TextArea(word, textprops=style))
        packed.append(HPacker(children=areas, pad=0, sep=7, align='baseline'))
    box = VPacker(children=packed, pad=0, sep=6, align='left')
    axes.set_axis_off()
    axes.add_artist(
        AnchoredOffsetbox('upper left', child=box, pad=0.2, borderpad=0, frameon=False)
    )


def _break_lines(
    words: Sequence[tuple[str, float]], width: float
) -> list[list[tuple[str, float]]]:
    """Break a caption into lines of at most ``width`` inches."""
    if not words:
        raise FigureError('There is no word to draw.')
    letter = _FONT * 0.602 / 72  # width of a letter of DejaVu Sans Mono
    lines: list[list[tuple[str, float]]] = [[]]
    x = 0.1
    for word in words:
        wide = len(word[0]) * letter + 7 / 72
        if lines[-1] and x + wide > width - 0.1:
            lines.append([])
            x = 0.1
        lines[-1].append(word)
        x += wide
    return lines


def draw_caption(
    image: np.ndarray,
    relevance: Tensor,
    words: Sequence[tuple[str, float]],
    word_maps: Mapping[str, Tensor],
    title: str = '',
) -> Figure:
    """Draw what an image and a caption have in common, and which word lights what.

    Args:
        image: ``(H, W, 3)`` uint8.
        relevance: For the similarity, ``(rows, columns)``.
        words: The words and their shares of relevance.
        word_maps: For some words the map of each.
        title: Line above.

    Raises:
        FigureError: There is no word.

    Example:
        >>> import torch
        >>> image, even = np.zeros((8, 4, 3), np.uint8), torch.full((2, 1), 0.5)
        >>> words = [('red', 0.7), ('shirt', 0.3)]
        >>> len(draw_caption(image, even, words, {'shirt': even}).axes)
        4
    """
    panels = [
        MapPanel(image, title='image'),
        MapPanel(image, relevance.cpu().numpy(), 'whole caption'),
        *(MapPanel(image, m.cpu().numpy(), word) for word, m in word_maps.items()),
    ]
    width = max(len(panels) * _CELL, 5)
    lines = _break_lines(words, width)
    high = _CELL * image.shape[0] / image.shape[1] + 0.25
    text = len(lines) * _LINE + 0.15
    figure = new_figure(width, high + text + 0.4 * bool(title), title)
    parts: Any = figure.subfigures(2, 1, height_ratios=[text, high])
    upper, lower = parts
    _write_words(upper.subplots(), lines)
    for axes, panel in zip(lower.subplots(1, len(panels)), panels, strict=True):
        _draw_panel(axes, panel)
    return figure


def draw_perturbations(
    curves: Mapping[str, Mapping[str, PerturbationCurves]], title: str = ''
) -> Figure:
    """Draw mean deletion and insertion curves of several kinds of maps.

    Args:
        curves: By panel, ``'deletion'`` say, and there by kind of map.
        title: Line above.

    Raises:
        FigureError: There is nothing to draw.

    Example:
        >>> import torch
        >>> falling = torch.tensor([[1.0, 0.5, 0.0]])
        >>> curve = PerturbationCurves(torch.linspace(0, 1, 3), falling)
        >>> figure = draw_perturbations({'deletion': {'gradient': curve}})
        >>> figure.axes[0].get_title()
        'deletion'
    """
    if not curves or not all(curves.values()):
        raise FigureError('There is no curve to draw.')
    figure = new_figure(3.4 * len(curves) + 0.2, 3.1, title)
    panels = figure.subplots(1, len(curves), squeeze=False)[0]
    for axes, (name, kinds) in zip(panels, curves.items(), strict=True):
        for number, (kind, curve) in enumerate(kinds.items()):
            mean = curve.scores.mean(dim=0)
            area = float(curve.areas().mean())
            axes.plot(
                100 * curve.shares,
                mean,
                label=f'{kind}: area {area:.3f}',
                **line_style(number),
            )
        axes.set_title(name)
        axes.set_xlabel('patches changed, %')
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    panels[0].set_ylabel('lead, whole images = 1')
    return figure


def to_array(pixels: Tensor) -> np.ndarray:
    """Turn a uint8 tensor ``(3, H, W)`` into ``(H, W, 3)``.

    Example:
        >>> import torch
        >>> to_array(torch.zeros(3, 4, 2, dtype=torch.uint8)).shape
        (4, 2, 3)
    """
    return pixels.permute(1, 2, 0).cpu().numpy()

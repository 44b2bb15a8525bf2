"""One look for all figures: colors, lines and markers, and how they are written.

Colors are Okabe and Ito's, which people with any color vision tell apart; lines and
markers differ as well, so that a print in gray can be read. Matplotlib is loaded by the
functions that draw with it: a run that draws nothing shouldn't wait for it. None uses
pyplot, which keeps every figure and looks for a screen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hplreid.utils.atomic_files import atomic_path
from hplreid.utils.user_error import UserError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLORS = (
    '#0072b2',
    '#d55e00',
    '#009e73',
    '#cc79a7',
    '#e69f00',
    '#56b4e9',
    '#000000',
    '#b8a900',
)
DASHES: tuple[Any, ...] = (
    'solid',
    (0, (5, 2)),
    (0, (1, 1.5)),
    (0, (6, 2, 1, 2)),
    (0, (3, 1, 1, 1, 1, 1)),
)
MARKERS = ('o', 's', '^', 'D', 'v', 'P', 'X', '*')
FORMATS = ('.png', '.pdf', '.svg')
"""Suffixes of the files that figures are written to: pixels, and two of vectors."""

_DPI = 150


class FigureError(UserError, ValueError):
    """A figure can't be drawn of what was given, or not in that format."""


def line_style(number: int) -> dict[str, Any]:
    """Return matplotlib's arguments of a figure's line, by its number from 0.

    Example:
        >>> line_style(0)
        {'color': '#0072b2', 'linestyle': 'solid'}
        >>> line_style(8)['color'], line_style(8)['linestyle']
        ('#0072b2', (0, (6, 2, 1, 2)))
    """
    return {
        'color': COLORS[number % len(COLORS)],
        'linestyle': DASHES[number % len(DASHES)],
    }


def new_figure(width: float, height: float, title: str = '') -> Figure:
    """Return an empty figure, in inches, whose parts make room for each other.

    Example:
        >>> new_figure(4, 3, title='toy').get_suptitle()
        'toy'
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout='constrained')
    if title:
        figure.suptitle(title)
    return figure


def check_figure_paths(paths: Iterable[str | Path]) -> None:
    """Check, before anything is computed, that figures can be written in a format.

    Raises:
        FigureError: A suffix is none of ``FORMATS``.

    Example:
        >>> check_figure_paths(['curves.bmp'])
        Traceback (most recent call last):
        ...
        hplreid.visualization.figures.FigureError: 'curves.bmp' is of no format that ...
    """
    for path in paths:
        if Path(path).suffix.lower() not in FORMATS:
            raise FigureError(
                f"'{path}' is of no format that figures are written in: expected a "
                f'name that ends in {", ".join(FORMATS)}.'
            )


def save_figure(figure: Figure, path: str | Path) -> Path:
    """Write a figure: pixels (``.png``) or vectors (``.pdf``, ``.svg``).

    The same figure gives the same bytes: no date is written.

    Args:
        figure: The figure.
        path: The file, whose folder is made; it is either whole or not there.

    Returns:
        The path.

    Raises:
        FigureError: The suffix is of none of these formats.
        WriteError: The disk is full or read-only.

    Example:
        >>> save_figure(new_figure(1, 1), 'empty.svg').read_text()[:5]
        '<?xml'
    """
    import matplotlib

    path = Path(path)
    check_figure_paths([path])
    kind = path.suffix.lower()[1:]
    dates: dict[str, Any] = {
        'png': {},
        'pdf': {'CreationDate': None},
        'svg': {'Date': None},
    }
    # Text stays text: it can be searched, and changed for a paper
    fonts: dict[Any, Any] = {
        'svg.fonttype': 'none',
        'svg.hashsalt': 'hplreid',
        'pdf.fonttype': 42,
    }
    with matplotlib.rc_context(fonts), atomic_path(path) as temporary:
        figure.savefig(
            temporary, format=kind, dpi=_DPI, metadata=dates[kind], facecolor='white'
        )
    return path


def figure_pixels(figure: Figure) -> np.ndarray:
    """Return a figure as an image, ``(H, W, 3)`` uint8, for backends that take one.

    Example:
        >>> figure_pixels(new_figure(1, 2)).shape
        (300, 150, 3)
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure.set_dpi(_DPI)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def name_runs(paths: Sequence[str | Path], names: Sequence[str] | None) -> list[str]:
    """Name runs for a legend: as asked for, or by the parts in which paths differ.

    Args:
        paths: One of each run.
        names: Their names, if the user gave any.

    Raises:
        FigureError: Two have the same name.

    Example:
        >>> name_runs(['work/hpl/test/a.npz', 'work/irra/test/a.npz'], None)
        ['hpl', 'irra']
        >>> name_runs(['work/hpl/a.npz'], None)
        ['a.npz']
    """
    if names is None:
        parts = [Path(path).parts for path in paths]
        while len(parts) > 1 and min(map(len, parts)) > 1 and _alike(parts, 0):
            parts = [own[1:] for own in parts]
        while len(parts) > 1 and min(map(len, parts)) > 1 and _alike(parts, -1):
            parts = [own[:-1] for own in parts]
        names = [Path(*own).as_posix() for own in parts]
        if len(paths) == 1:
            names = [Path(paths[0]).name]
    if len(set(names)) < len(names):
        raise FigureError(
            f'Runs are told apart by their names; got {", ".join(names)}.'
        )
    return list(names)


def _alike(parts: Sequence[tuple[str, ...]], place: int) -> bool:
    return len({own[place] for own in parts}) == 1

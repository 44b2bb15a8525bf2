"""One look for all figures: colors, lines and markers, and how they are written.

Colors are Okabe and Ito's, which people with any color vision tell apart; lines and
markers differ as well, so that a print in gray can be read. Matplotlib is loaded by the
functions that draw with it: a run that draws nothing shouldn't wait for it. None uses
pyplot, which keeps every figure and looks for a screen.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

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

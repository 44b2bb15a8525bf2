"""What a search has tried, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..figures import COLORS, FigureError, new_figure
from .sweep_curve import SweepPoint, place_values, set_value_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS = 3


def draw_search(points: Sequence[SweepPoint], score: str, title: str = '') -> Figure:
    """Draw the score of each trial, in order and over the values of each key.

    The first panel has the best score so far as a line, the others the best trial as a
    star. Bars are one standard deviation over seeds to either side.

    Args:
        points: The trials, in the order in which they were proposed.
        score: The score that the search looks at.
        title: Line above.

    Raises:
        FigureError: There is no trial, or one lacks the score.

    Example:
        >>> points = [
        ...     SweepPoint({'a.tau': tau}, {'R1': value}, {})
        ...     for tau, value in (('0.02', 18.2), ('0.06', 23.3), ('0.04', 20.0))
        ... ]
        >>> figure = draw_search(points, 'R1')
        >>> [panel.get_xlabel() for panel in figure.axes]
        ['trial', 'tau']
        >>> figure.axes[0].lines[-1].get_ydata().tolist()
        [18.2, 23.3, 23.3]
    """
    if not points or any(score not in point.scores for point in points):
        raise FigureError(
            f"Nothing to draw of {len(points)} trials: expected '{score}' of each."
        )
    keys = list(points[0].values)
    columns = min(1 + len(keys), _COLUMNS)
    rows = -(-(1 + len(keys)) // columns)
    figure = new_figure(3.8 * columns, 3.0 * rows + 0.3, title)
    panels = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
    for panel in panels[1 + len(keys) :]:
        panel.remove()
    found = np.array([point.scores[score] for point in points])
    spreads = np.array([point.spreads.get(score, 0.0) for point in points])
    order = np.arange(1, len(points) + 1)
    _draw_trials(panels[0], order, found, spreads)
    best = np.maximum.accumulate(found)
    step: dict[str, Any] = dict(
        color='0.3', drawstyle='steps-post', label='best so far'
    )
    panels[0].plot(order, best, **step)
    panels[0].set(xlabel='trial')
    panels[0].xaxis.get_major_locator().set_params(integer=True)
    panels[0].legend()
    for panel, key in zip(panels[1:], keys, strict=False):
        texts = [point.values[key] for point in points]
        places = place_values(list(dict.fromkeys(texts)))
        _draw_trials(panel, np.array([places[t] for t in texts]), found, spreads)
        set_value_axis(panel, key, places, every=False)
    for panel in panels[: 1 + len(keys)]:
        panel.grid(visible=True, alpha=0.3)
    for panel in panels[: 1 + len(keys) : columns]:
        panel.set(ylabel=f'{score}, %')
    return figure


def _draw_trials(
    panel: Axes, places: np.ndarray, found: np.ndarray, spreads: np.ndarray
) -> None:
    panel.errorbar(
        places, found, spreads, fmt='o', color=COLORS[0], ms=5, capsize=3, alpha=0.7
    )
    best = found.argmax()
    star: dict[str, Any] = dict(ms=13, mec='black', mew=0.6, zorder=5)
    panel.plot(places[best], found[best], '*', color=COLORS[1], **star)

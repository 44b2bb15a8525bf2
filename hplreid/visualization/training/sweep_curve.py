"""Scores over the values of a parameter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..figures import MARKERS, FigureError, line_style, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS = 3
_DECADES = 30  # ratio of values from which an axis is logarithmic


@dataclass(frozen=True)
class SweepPoint:
    """Scores at one combination of values.

    Attributes:
        values: Value of each key, as text.
        scores: Mean of each score, percent.
        spreads: Standard deviation over seeds; a score of one seed has none.
    """

    values: Mapping[str, str]
    scores: Mapping[str, float]
    spreads: Mapping[str, float]


def draw_sweep(
    points: Sequence[SweepPoint], scores: Sequence[str], title: str = ''
) -> Figure:
    """Draw a panel for each score: over the first key, a line for each other value.

    Bars are one standard deviation over seeds to either side. Numbers that span more
    than a factor of 30 stand on a logarithmic axis; text is spread evenly.

    Args:
        points: The points, in the order of the sweep.
        scores: Which scores.
        title: Line above.

    Raises:
        FigureError: There is no point, or a score is unknown.

    Example:
        >>> points = [
        ...     SweepPoint({'a.tau': tau}, {'R1': score}, {})
        ...     for tau, score in (('0.02', 18.2), ('0.06', 23.3))
        ... ]
        >>> panel = draw_sweep(points, ['R1']).axes[0]
        >>> panel.get_xlabel(), panel.lines[0].get_xdata().tolist()
        ('tau', [0.02, 0.06])
    """
    known = dict.fromkeys(score for point in points for score in point.scores)
    missing = [score for score in scores if score not in known]
    if not points or not scores or missing:
        raise FigureError(
            f'Nothing to draw of {len(points)} points for {", ".join(scores) or "-"}: '
            f'expected scores among {", ".join(known) or "none"}.'
        )
    columns = min(len(scores), _COLUMNS)
    rows = -(-len(scores) // columns)
    figure = new_figure(3.8 * columns, 3.0 * rows + 0.3, title)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for panel in panels[len(scores) :]:
        panel.remove()
    groups = _group(points)
    for panel, score in zip(panels, scores, strict=False):
        _draw_score(panel, groups, score)
    if len(groups) > 1:
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc='outside lower center', ncols=columns)
    return figure


def _group(points: Sequence[SweepPoint]) -> dict[str, list[SweepPoint]]:
    """Return the points of each line, by all values but the first."""
    groups: dict[str, list[SweepPoint]] = {}
    for point in points:
        others = list(point.values.items())[1:]
        name = ', '.join(f'{_short(key)} {value}' for key, value in others)
        groups.setdefault(name, []).append(point)
    return groups


def _draw_score(
    panel: Axes, groups: Mapping[str, Sequence[SweepPoint]], score: str
) -> None:
    key = next(iter(next(iter(groups.values()))[0].values))
    texts = list(dict.fromkeys(p.values[key] for own in groups.values() for p in own))
    numbers = place_values(texts)
    for number, (name, points) in enumerate(groups.items()):
        own = [point for point in points if score in point.scores]
        places = np.array([numbers[point.values[key]] for point in own])
        order = np.argsort(places, kind='stable')
        panel.errorbar(
            places[order],
            np.array([point.scores[score] for point in own])[order],
            np.array([point.spreads.get(score, 0.0) for point in own])[order],
            marker=MARKERS[number % len(MARKERS)],
            capsize=3,
            label=name or None,
            **line_style(number),
        )
    set_value_axis(panel, key, numbers)
    panel.set(ylabel='%')
    panel.set_title(score, fontsize='medium')
    panel.grid(visible=True, alpha=0.3)


def set_value_axis(
    panel: Axes, key: str, places: Mapping[str, float], every: bool = True
) -> None:
    """Name a panel's axis for a key, with a tick at each value, or where they fit.

    Example:
        >>> panel = new_figure(3, 2).subplots()
        >>> set_value_axis(panel, 'a.kind', {'mlp': 0.0, 'conv': 1.0})
        >>> [text.get_text() for text in panel.get_xticklabels()]
        ['mlp', 'conv']
    """
    texts, values = list(places), np.array(list(places.values()))
    numeric = _are_numbers(texts)
    if numeric and values.min() > 0 and values.max() / values.min() >= _DECADES:
        panel.set_xscale('log')
    if not numeric:
        panel.set_xlim(-0.5, len(texts) - 0.5)
    if every or not numeric:
        panel.set_xticks(values, texts)
        panel.minorticks_off()
    panel.set(xlabel=_short(key))


def _are_numbers(texts: Sequence[str]) -> bool:
    try:
        return bool(np.isfinite([float(text) for text in texts]).all())
    except ValueError:
        return False


def place_values(texts: Sequence[str]) -> dict[str, float]:
    """Return the place of each value on the axis: itself, or its number.

    Example:
        >>> place_values(['0.1', '10']), place_values(['mlp', 'conv'])
        ({'0.1': 0.1, '10': 10.0}, {'mlp': 0.0, 'conv': 1.0})
    """
    if _are_numbers(texts):
        return {text: float(text) for text in texts}
    return {text: float(place) for place, text in enumerate(texts)}


def _short(key: str) -> str:
    return key.rpartition('.')[2]

"""Scores by pair of cameras, and by groups of queries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from hplreid.evaluation.inspection import AttributeScores, GroupScore

from ..figures import COLORS, FigureError, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_camera_pairs(
    rows: np.ndarray, columns: np.ndarray, scores: np.ndarray, counts: np.ndarray
) -> Figure:
    r"""Draw the score of the search from each camera in each other one.

    Args:
        rows: Cameras of queries, ``(A,)``.
        columns: Cameras of the gallery, ``(B,)``.
        scores: Percent, ``(A, B)``, NaN where there is none.
        counts: Queries that count, ``(A, B)``.

    Raises:
        FigureError: No pair has a score.

    Example:
        >>> figure = draw_camera_pairs(
        ...     np.array([0]), np.array([1]), np.array([[52.18]]), np.array([[40]])
        ... )
        >>> figure.axes[0].texts[0].get_text()
        '52.2\n(40)'
    """
    if np.isnan(scores).all():
        raise FigureError('No pair of cameras has a query with a match.')
    figure = new_figure(1.2 + 0.75 * len(columns), 1.0 + 0.55 * len(rows))
    panel = figure.subplots()
    # Lightness grows with the score, also in gray and for any color vision
    image = panel.imshow(scores, cmap='cividis', aspect='auto')
    low, high = np.nanmin(scores), np.nanmax(scores)
    for (a, b), score in np.ndenumerate(scores):
        if np.isnan(score):
            text, color = '-', 'black'
        else:
            text = f'{score:.1f}\n({counts[a, b]})'
            dark = score < (low + high) / 2
            color = 'white' if dark else 'black'
        panel.text(b, a, text, ha='center', va='center', color=color, fontsize=7)
    panel.set_xticks(range(len(columns)), [str(c) for c in columns])
    panel.set_yticks(range(len(rows)), [str(c) for c in rows])
    panel.set(xlabel='camera of the gallery', ylabel='camera of the query')
    panel.set_title('mAP, % (queries)', fontsize='medium')
    figure.colorbar(image, ax=panel)
    return figure


def draw_groups(
    groups: Sequence[GroupScore], what: str, overall: float | None = None
) -> Figure:
    """Draw the mean of each group of queries with its 95 % interval.

    Args:
        groups: The groups.
        what: What tells them apart.
        overall: Mean over all queries, percent, for a line across.

    Raises:
        FigureError: There is no group.

    Example:
        >>> groups = [GroupScore('6 words', 50.0, 40.0, 60.0, 12)]
        >>> draw_groups(groups, 'length of caption').axes[0].get_xlabel()
        'length of caption'
    """
    if not groups:
        raise FigureError('There is no group to draw.')
    figure = new_figure(1.5 + 1.1 * len(groups), 3.0)
    panel = figure.subplots()
    _draw_points(panel, groups, overall)
    panel.set(xlabel=what, ylabel='mAP, %')
    return figure


def draw_attribute(
    scores: AttributeScores, overall_ap: float, overall_rank_1: float
) -> Figure:
    """Draw mAP and R1 of each group of queries with their 95 % intervals.

    Args:
        scores: The groups.
        overall_ap: mAP of all queries, percent, for a line across.
        overall_rank_1: R1 of all.

    Raises:
        FigureError: There is no group.

    Example:
        >>> groups = [GroupScore('0 %', 50.0, 40.0, 60.0, 12)]
        >>> figure = draw_attribute(AttributeScores('hidden', groups, groups), 45, 52)
        >>> [panel.get_ylabel() for panel in figure.axes]
        ['mAP, %', 'R1, %']
    """
    if not scores.mean_ap:
        raise FigureError('There is no group to draw.')
    width = min(2 * (1.2 + 0.95 * len(scores.mean_ap)), 16)
    figure = new_figure(width, 3.0)
    panels = figure.subplots(1, 2)
    both = (scores.mean_ap, overall_ap, 'mAP'), (scores.rank_1, overall_rank_1, 'R1')
    for panel, (groups, overall, metric) in zip(panels, both, strict=True):
        _draw_points(panel, groups, overall)
        panel.set(xlabel=scores.name, ylabel=f'{metric}, %')
    return figure


def _draw_points(
    panel: Axes, groups: Sequence[GroupScore], overall: float | None
) -> None:
    places = np.arange(len(groups))
    means = np.array([group.mean for group in groups])
    ends = np.array([(g.mean - g.low, g.high - g.mean) for g in groups]).T
    panel.errorbar(
        places, means, np.nan_to_num(ends), fmt='o', color=COLORS[0], capsize=4
    )
    if overall is not None:
        panel.axhline(overall, color='0.4', ls='--', lw=1, label='all queries')
        panel.legend()
    panel.set_xticks(places, [f'{group.name}\n({group.count})' for group in groups])
    panel.set(xlim=(-0.5, len(groups) - 0.5))
    panel.grid(visible=True, axis='y', alpha=0.3)

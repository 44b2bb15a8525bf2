"""CMC and precision over recall of several runs, with intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from hplreid.evaluation.inspection import Curve

from ..figures import COLORS, FigureError, line_style, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_score_curves(
    cmc: Mapping[str, Curve],
    precision: Mapping[str, Curve] | None = None,
    title: str = '',
) -> Figure:
    """Draw the curves of several runs, each in a band of its intervals.

    Args:
        cmc: CMC of each run, by its name; see :func:`.cmc_curve`.
        precision: Precision over recall of each, see :func:`.precision_recall_curve`;
            None leaves the panel out.
        title: Line above.

    Raises:
        FigureError: There is no curve.

    Example:
        >>> import numpy as np
        >>> ranks, mean = np.array([1, 2]), np.array([50.0, 75.0])
        >>> figure = draw_score_curves({'ours': Curve(ranks, mean, mean - 5, mean + 5)})
        >>> [line.get_label() for line in figure.axes[0].lines]
        ['ours']
    """
    if not cmc:
        raise FigureError('There is no curve to draw.')
    panels = 1 if precision is None else 2
    figure = new_figure(4.6 * panels, 3.6, title)
    axes = figure.subplots(1, panels, squeeze=False)[0]
    for number, (name, curve) in enumerate(cmc.items()):
        _draw_curve(axes[0], curve, name, number)
    axes[0].set(xlabel='rank', ylabel='queries with a match, %')
    axes[0].xaxis.get_major_locator().set_params(integer=True)
    axes[0].set_title('CMC', fontsize='medium')
    if precision is not None:
        for number, name in enumerate(cmc):
            _draw_curve(axes[1], precision[name], name, number)
        axes[1].set(xlabel='recall, %', ylabel='precision, %')
        axes[1].set_title('interpolated, mean over queries', fontsize='medium')
    for panel in axes:
        panel.grid(visible=True, alpha=0.3)
    handles, labels = axes[0].get_legend_handles_labels()
    longest = max(map(len, labels))
    columns = max(1, min(len(labels), 50 * panels // (longest + 6)))
    figure.legend(handles, labels, loc='outside lower center', ncols=columns)
    return figure


def _draw_curve(panel: Axes, curve: Curve, name: str, number: int) -> None:
    panel.plot(curve.points, curve.mean, label=name, **line_style(number))
    panel.fill_between(
        curve.points,
        curve.low,
        curve.high,
        color=COLORS[number % len(COLORS)],
        alpha=0.2,
        lw=0,
    )

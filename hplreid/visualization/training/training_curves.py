"""Curves of losses and scores, of one or many runs and seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..figures import COLORS, FigureError, line_style, new_figure
from .scalar_log import ScalarLog, shared_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_UNLISTED = ('base_lr', 'data_time', 'time', 'memory', 'eta')
_COLUMNS = 4
# Groups of scalars that are logged at steps; others are scores of a validation
_BY_STEP = ('gradient_', 'update_ratio/', 'weight_norm/', 'test/')


def mean_and_spread(
    logs: Sequence[ScalarLog], name: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the mean of a scalar over seeds and its sample standard deviation.

    Args:
        logs: A log for each seed.
        name: The scalar.

    Returns:
        The steps that all logs have, ``(N,)``; the mean there; the standard deviation
        with ``n - 1`` in the denominator, 0 for one log.

    Raises:
        FigureError: A log lacks the scalar, or they have no step in common.

    Example:
        >>> steps = {'loss': np.array([10, 20])}
        >>> logs = [
        ...     ScalarLog('a', steps, {'loss': np.array([4.0, 2.0])}),
        ...     ScalarLog('b', steps, {'loss': np.array([6.0, 2.0])}),
        ... ]
        >>> _, mean, spread = mean_and_spread(logs, 'loss')
        >>> mean.tolist(), spread.round(3).tolist()
        ([5.0, 2.0], [1.414, 0.0])
    """
    lacking = [log.name for log in logs if name not in log.values]
    if lacking:
        raise FigureError(
            f"'{name}' was not logged by {', '.join(lacking)}: expected one of "
            f'{", ".join(shared_names(logs))}.'
        )
    steps = logs[0].steps[name]
    for log in logs[1:]:
        steps = np.intersect1d(steps, log.steps[name])
    if not len(steps):
        raise FigureError(
            f"'{name}' was logged at no step by all of "
            f'{", ".join(log.name for log in logs)}.'
        )
    values = np.stack(
        [log.values[name][np.searchsorted(log.steps[name], steps)] for log in logs]
    )
    spread = values.std(axis=0, ddof=1) if len(logs) > 1 else np.zeros(len(steps))
    return steps, values.mean(axis=0), spread


def draw_training_curves(
    runs: Mapping[str, Sequence[ScalarLog]],
    names: Sequence[str] | None = None,
    title: str = '',
) -> Figure:
    """Draw a panel for each scalar, with a line for each run.

    The line of a run of several seeds is their mean, in a band of one standard
    deviation to either side.

    Args:
        runs: Logs of the seeds of each run, by the name in the legend.
        names: Scalars to draw; a run that lacks one has no line there. The name of a
            group, ``weight_norm``, is all of its scalars, ``weight_norm/<part>``.
            Defaults to those of all runs that are neither times nor scores of the test.
        title: Line above.

    Raises:
        FigureError: There is nothing to draw, or no run has a scalar of ``names``.

    Example:
        >>> steps = {'loss': np.array([10, 20])}
        >>> log = ScalarLog('a', steps, {'loss': np.array([4.0, 2.0])})
        >>> figure = draw_training_curves({'baseline': [log]})
        >>> figure.axes[0].get_title()
        'loss'
    """
    own = [name for logs in runs.values() for name in shared_names(logs)]
    every = [
        name
        for name in dict.fromkeys(own)
        if name not in _UNLISTED and not name.startswith('test/')  # of one point
    ]
    groups = {
        group: [name for name in dict.fromkeys(own) if name.startswith(f'{group}/')]
        for group in names or ()
    }
    chosen = [n for name in names or every for n in groups.get(name) or [name]]
    missing = [name for name in chosen if name not in own]
    if missing or not chosen:
        raise FigureError(
            f'No run has logged {", ".join(missing) or "a scalar"}: expected some of '
            f'{", ".join(dict.fromkeys(own))}.'
        )
    columns = min(len(chosen), _COLUMNS)
    rows = -(-len(chosen) // columns)
    figure = new_figure(3.6 * columns, 2.6 * rows + 0.5, title)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for panel in panels[len(chosen) :]:
        panel.remove()
    for panel, name in zip(panels, chosen, strict=False):
        for number, logs in enumerate(runs.values()):
            if name in shared_names(logs):
                _draw_run(panel, logs, name, number)
        panel.set_title(name)
        by_epoch = '/' in name and not name.startswith(_BY_STEP)
        panel.set_xlabel('epoch' if by_epoch else 'step')
        if name.startswith('update_ratio/'):  # from a warm-up to the peak: decades
            panel.set_yscale('log')
        panel.grid(visible=True, alpha=0.3)
    handles = [
        _legend_line(f'{run}, {len(logs)} seeds' if len(logs) > 1 else run, number)
        for number, (run, logs) in enumerate(runs.items())
    ]
    figure.legend(handles=handles, loc='outside lower center', ncols=min(len(runs), 3))
    return figure


def _draw_run(panel: Axes, logs: Sequence[ScalarLog], name: str, number: int) -> None:
    steps, mean, spread = mean_and_spread(logs, name)
    alone: dict[str, Any] = {'marker': 'o'} if len(steps) == 1 else {}
    panel.plot(steps, mean, lw=1.4, **line_style(number), **alone)
    if len(logs) > 1:
        color = COLORS[number % len(COLORS)]
        panel.fill_between(
            steps, mean - spread, mean + spread, color=color, alpha=0.25, lw=0
        )


def _legend_line(label: str, number: int) -> object:
    from matplotlib.lines import Line2D

    return Line2D([], [], label=label, **line_style(number))

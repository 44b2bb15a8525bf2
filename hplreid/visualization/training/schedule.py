"""The learning rate over a training that is yet to be run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..figures import FigureError, line_style, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LOWEST = 1e-5  # of the highest rate; a cosine may end at any


@dataclass(frozen=True)
class StageSchedule:
    """The learning rates of a stage.

    Attributes:
        name: Name of the stage.
        steps_per_epoch: Steps of an epoch.
        rates: Learning rate of each step by the name of the group of parameters,
            ``(epochs * steps_per_epoch,)`` each.
    """

    name: str
    steps_per_epoch: int
    rates: Mapping[str, np.ndarray]


def draw_schedule(stages: Sequence[StageSchedule], title: str = '') -> Figure:
    """Draw the learning rate of each step, stage after stage.

    Args:
        stages: In the order of training.
        title: Line above.

    Raises:
        FigureError: There is no stage.

    Example:
        >>> rates = np.array([1e-5, 1e-4, 1e-4, 1e-5])
        >>> figure = draw_schedule([StageSchedule('align', 2, {'all': rates})])
        >>> figure.axes[0].get_ylabel()
        'learning rate'
    """
    if not stages:
        raise FigureError('There is no stage to draw.')
    figure = new_figure(7.5, 3.4, title)
    panel = figure.subplots()
    groups = list(dict.fromkeys(name for stage in stages for name in stage.rates))
    begin = 0
    for stage in stages:
        length = len(next(iter(stage.rates.values())))
        for name, rates in stage.rates.items():
            number = groups.index(name)
            panel.plot(begin + np.arange(1, length + 1), rates, **line_style(number))
        panel.axvspan(begin, begin + length, color='0.5', alpha=0.06 * (begin > 0))
        epochs = length // stage.steps_per_epoch
        panel.annotate(
            f'{stage.name}: {epochs} x {stage.steps_per_epoch} steps',
            (begin + length / 2, 1),
            xycoords=('data', 'axes fraction'),
            xytext=(0, 3),
            textcoords='offset points',
            ha='center',
            fontsize='small',
        )
        begin += length
    panel.set(xlabel='step', ylabel='learning rate', xlim=(0, begin))
    # Groups of one model are up to 400 times apart
    panel.set_yscale('log')
    top = max(rates.max() for stage in stages for rates in stage.rates.values())
    panel.set_ylim(bottom=max(panel.get_ylim()[0], top * _LOWEST))
    panel.grid(visible=True, alpha=0.3)
    for number, name in enumerate(groups):
        panel.plot([], [], label=name, **line_style(number))
    if len(groups) > 1:
        figure.legend(loc='outside lower center', ncols=3, fontsize='small')
    return figure

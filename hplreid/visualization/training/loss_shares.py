"""Each term's share of the loss over a training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..figures import COLORS, FigureError, new_figure
from .scalar_log import ScalarLog

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_HATCHES = ('', '///', '...', '\\\\\\', 'xxx', '---', '|||', '+++')


def loss_shares(log: ScalarLog) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return the share of each weighted term in the sum of all.

    A stage's terms are 0 in the other stages. A negative term counts by its size.

    Args:
        log: A log with scalars ``loss_<term>``, or, from ``GradientShareHook``,
            ``gradient_share/<term>``, which are preferred: they are what pulls.

    Returns:
        Steps, ``(N,)``, and the shares by name of the term, ``(N,)`` each, which sum
        to 1.

    Raises:
        FigureError: There are no terms.

    Example:
        >>> one = np.array([10])
        >>> values = {'loss_id': np.array([3.0]), 'loss_triplet': np.array([1.0])}
        >>> log = ScalarLog('a', dict.fromkeys(values, one), values)
        >>> steps, shares = loss_shares(log)
        >>> {name: share.tolist() for name, share in shares.items()}
        {'id': [0.75], 'triplet': [0.25]}
    """
    prefix = 'gradient_share/'
    names = [name for name in log.values if name.startswith(prefix)]
    if not names:
        prefix = 'loss_'
        names = [name for name in log.values if name.startswith(prefix)]
    if not names:
        raise FigureError(
            f"'{log.name}' has logged no loss_<term>: expected the log of a training "
            f'with named losses; it has {", ".join(log.values) or "nothing"}.'
        )
    steps = np.unique(np.concatenate([log.steps[name] for name in names]))
    terms = np.zeros((len(names), len(steps)))
    for row, name in enumerate(names):
        terms[row, np.searchsorted(steps, log.steps[name])] = np.abs(log.values[name])
    shares = terms / np.maximum(terms.sum(axis=0), np.finfo(float).tiny)
    short = [n.removeprefix(prefix).removeprefix('loss_') for n in names]
    return steps, dict(zip(short, shares, strict=True))


def draw_loss_shares(log: ScalarLog, title: str = '') -> Figure:
    """Draw the share of each loss term, stacked to 100 %.

    Args:
        log: See :func:`loss_shares`.
        title: Line above.

    Raises:
        FigureError: There are no terms.

    Example:
        >>> steps = dict.fromkeys(['loss_id', 'loss_sdm'], np.array([10, 20]))
        >>> values = dict.fromkeys(steps, np.array([3.0, 1.0]))
        >>> figure = draw_loss_shares(ScalarLog('a', steps, values))
        >>> [t.get_text() for t in figure.legends[0].get_texts()]
        ['sdm', 'id']
    """
    steps, shares = loss_shares(log)
    figure = new_figure(7.5, 3.6, title)
    panel = figure.subplots()
    bands = panel.stackplot(
        steps,
        [100 * share for share in shares.values()],
        labels=list(shares),
        step='mid',  # where a stage ends, so do its terms
        lw=0.4,
    )
    for number, band in enumerate(bands):
        band.set(facecolor=COLORS[number % len(COLORS)], edgecolor='white')
        # More terms than colors: a color comes again with another hatch
        hatch = _HATCHES[(number + number // len(COLORS)) % len(_HATCHES)]
        band.set(hatch=hatch, alpha=0.85)
    panel.set(xlabel='step', ylabel='share, %', ylim=(0, 100))
    panel.set_xlim(steps[0], max(steps[-1], steps[0] + 1))
    # From the top, as the bands lie
    handles, labels = panel.get_legend_handles_labels()
    figure.legend(handles[::-1], labels[::-1], loc='outside right upper')
    return figure

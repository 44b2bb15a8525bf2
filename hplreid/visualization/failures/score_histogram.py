"""Scores of pairs of one person and of two, with the thresholds of a FAR."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hplreid.evaluation.verification.verification_report import VerificationReport

from ..figures import COLORS, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LINES = ('dashed', 'dashdot', 'dotted', (0, (6, 1, 1, 1, 1, 1)))


def draw_score_histogram(report: VerificationReport, title: str = '') -> Figure:
    """Draw the distribution of scores of same and different pairs.

    Args:
        report: What to draw; see :func:`.verification_report`.
        title: Line above.

    Example:
        >>> import numpy as np
        >>> from hplreid.evaluation import verification_report
        >>> feats = np.random.default_rng(0).normal(size=(20, 8))
        >>> pids = np.arange(20) % 4
        >>> report = verification_report(feats[:8], feats[8:], pids[:8], pids[8:])
        >>> draw_score_histogram(report).axes[0].get_xlabel()
        'cosine similarity'
    """
    figure = new_figure(6.4, 3.6, title)
    fill_histogram(figure.subplots(), report)
    return figure


def fill_histogram(panel: Axes, report: VerificationReport) -> None:
    """Draw both distributions and the thresholds into a panel."""
    for name, counts, color, hatch in (
        ('same person', report.genuine_counts, COLORS[2], '////'),
        ('two persons', report.impostor_counts, COLORS[1], None),
    ):
        label = f'{name} ({counts.sum():,} pairs)'
        panel.stairs(
            counts / counts.sum(),
            report.bin_edges,
            fill=True,
            facecolor=color,
            edgecolor='black' if hatch else color,
            lw=0.3,
            hatch=hatch,
            alpha=0.55,
            label=label,
        )
    filled = np.flatnonzero(report.genuine_counts + report.impostor_counts)
    panel.set_xlim(report.bin_edges[filled[0]], report.bin_edges[filled[-1] + 1])
    panel.axvline(
        report.eer_threshold, color='black', lw=1.2, label=f'EER {report.eer:.2f} %'
    )
    for number, (far, tar, threshold) in enumerate(
        zip(report.fars, report.tars, report.thresholds, strict=True)
    ):
        if np.isfinite(threshold):
            panel.axvline(
                threshold,
                color='0.25',
                lw=1,
                ls=_LINES[number % len(_LINES)],
                label=f'FAR {far:g}: TAR {tar:.1f} %',
            )
    cosine = report.distance == 'cosine'
    panel.set_xlabel('cosine similarity' if cosine else f'{report.distance} distance')
    panel.set_ylabel('share of pairs')
    panel.legend(fontsize='x-small')

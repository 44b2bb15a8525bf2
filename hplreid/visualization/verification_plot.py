"""A drawing of a verification report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hplreid.evaluation.verification.verification_report import VerificationReport

from .failures.score_histogram import fill_histogram
from .figures import COLORS, new_figure, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MAX_POINTS = 2000  # of the curve: more can't be told apart


def draw_verification(
    report: VerificationReport, path: str | Path, title: str = ''
) -> None:
    """Write a figure: the score distributions, TAR over FAR, and the two error rates.

    FAR is a share on both axes, as in the table of thresholds; TAR is in percent.

    Args:
        report: What to draw.
        path: The file, ``.png``, ``.pdf`` or ``.svg``, which is either whole or not
            there.
        title: Line above.

    Raises:
        FigureError: The suffix is another one.

    Example:
        >>> import numpy as np
        >>> from hplreid.evaluation import verification_report
        >>> from hplreid.visualization import draw_verification
        >>> feats = np.random.default_rng(0).normal(size=(20, 8))
        >>> pids = np.arange(20) % 4
        >>> report = verification_report(feats[:8], feats[8:], pids[:8], pids[8:])
        >>> draw_verification(report, 'verification.png')
    """
    figure = new_figure(13, 4, title)
    histogram, roc, det = figure.subplots(1, 3)
    fill_histogram(histogram, report)
    _draw_curves(roc, det, report)
    save_figure(figure, path)


def _draw_curves(roc: Axes, det: Axes, report: VerificationReport) -> None:
    points = report.roc
    if len(points) > _MAX_POINTS:
        rows = np.linspace(0, len(points) - 1, _MAX_POINTS).round().astype(int)
        points = points[rows]
    # One impostor is the least that a logarithmic axis can show
    far = np.maximum(points[:, 0], 1 / report.num_impostor)
    roc.plot(far, points[:, 1], drawstyle='steps-post', color=COLORS[0])
    roc.plot(report.fars, report.tars, 'o', color=COLORS[1])
    roc.set(xlabel='FAR, a share', ylabel='TAR, %', xscale='log', ylim=(0, 102))
    roc.set_title(f'AUC {report.auc:.2f} %')
    missed = np.maximum(100 - points[:, 1], 100 / report.num_genuine)
    det.plot(far, missed, color=COLORS[0])
    det.plot([report.eer / 100], [report.eer], 'o', color='black')
    det.set(xlabel='FAR, a share', ylabel='1 - TAR, %', xscale='log', yscale='log')
    det.set_title(f'EER {report.eer:.2f} %')
    for axes in (roc, det):
        axes.grid(visible=True, which='major', alpha=0.3)

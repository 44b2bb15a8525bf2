"""A drawing of a verification report."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hplreid.evaluation.verification.verification_report import VerificationReport

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GENUINE, _IMPOSTOR = '#14963c', '#cd1e2d'
_MAX_POINTS = 2000  # of the curve: more can't be told apart


def draw_verification(
    report: VerificationReport, path: str | Path, title: str = ''
) -> None:
    """Write a PNG: the score distributions, TAR over FAR, and the two error rates.

    Args:
        report: What to draw.
        path: The file, which is either whole or not there.
        title: Line above.

    Example:
        >>> import numpy as np
        >>> from hplreid.evaluation import verification_report
        >>> from hplreid.visualization import draw_verification
        >>> feats = np.random.default_rng(0).normal(size=(20, 8))
        >>> pids = np.arange(20) % 4
        >>> report = verification_report(feats[:8], feats[8:], pids[:8], pids[8:])
        >>> draw_verification(report, 'verification.png')
    """
    # Loaded here, for a run that draws no such report shouldn't wait for it; and no
    # pyplot, which keeps every figure and looks for a screen
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 4), layout='constrained')
    if title:
        figure.suptitle(title)
    histogram, roc, det = figure.subplots(1, 3)
    _draw_histogram(histogram, report)
    _draw_curves(roc, det, report)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f'.{path.name}.{os.getpid()}')
    try:
        FigureCanvasAgg(figure).print_figure(temporary, format='png', dpi=120)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _draw_histogram(axes: Axes, report: VerificationReport) -> None:
    for name, counts, color in (
        ('genuine', report.genuine_counts, _GENUINE),
        ('impostor', report.impostor_counts, _IMPOSTOR),
    ):
        label = f'{name} ({counts.sum():,})'
        share = counts / counts.sum()
        axes.stairs(
            share, report.bin_edges, fill=True, color=color, alpha=0.5, label=label
        )
    filled = np.flatnonzero(report.genuine_counts + report.impostor_counts)
    axes.set_xlim(report.bin_edges[filled[0]], report.bin_edges[filled[-1] + 1])
    axes.axvline(report.eer_threshold, color='black', lw=1, ls='--', label='EER')
    cosine = report.distance == 'cosine'
    axes.set_xlabel('cosine similarity' if cosine else f'{report.distance} distance')
    axes.set_ylabel('share of pairs')
    axes.legend()


def _draw_curves(roc: Axes, det: Axes, report: VerificationReport) -> None:
    points = report.roc
    if len(points) > _MAX_POINTS:
        rows = np.linspace(0, len(points) - 1, _MAX_POINTS).round().astype(int)
        points = points[rows]
    # One impostor is the least that a logarithmic axis can show
    far = np.maximum(points[:, 0], 1 / report.num_impostor)
    roc.plot(far, points[:, 1], drawstyle='steps-post')
    roc.plot(report.fars, report.tars, 'o')
    roc.set(xlabel='FAR', ylabel='TAR, %', xscale='log', ylim=(0, 102))
    roc.set_title(f'AUC {report.auc:.2f} %')
    det.plot(far * 100, np.maximum(100 - points[:, 1], 100 / report.num_genuine))
    det.plot([report.eer], [report.eer], 'o', color='black')
    det.set(xlabel='FAR, %', ylabel='1 - TAR, %', xscale='log', yscale='log')
    det.set_title(f'EER {report.eer:.2f} %')
    for axes in (roc, det):
        axes.grid(visible=True, which='major', alpha=0.3)

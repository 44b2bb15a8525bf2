"""What a similarity means: thresholds at stated false-accept rates."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import GalleryError


@dataclass(frozen=True)
class Calibration:
    """Thresholds on the similarity of a pair, measured on a benchmark.

    A threshold's false-accept rate is the share of pairs of different people whose
    similarity reaches it. It holds for one image, or one caption, against one item,
    on data like those that it was measured on.

    Attributes:
        points: False-accept rate (a share) and threshold, from the strictest.
        source: The file that they are from.

    Example:
        >>> found = Calibration(((1e-3, 0.8), (1e-2, 0.6)), 'thresholds.json')
        >>> found.threshold(1e-3), found.rate(0.7), found.rate(0.5)
        (0.8, 0.01, None)
    """

    points: tuple[tuple[float, float], ...]
    source: str

    def threshold(self, far: float) -> float:
        """Return the threshold at a false-accept rate.

        Raises:
            GalleryError: None was measured at that rate.
        """
        for rate, threshold in self.points:
            if math.isclose(rate, far, rel_tol=1e-6):
                return threshold
        raise GalleryError(
            f'far={far:g}: {self.source} has thresholds at '
            f'{", ".join(f"{rate:g}" for rate, _ in self.points)}.'
        )

    def rate(self, score: float) -> float | None:
        """Return the strictest measured false-accept rate that a score meets.

        None if it meets none.
        """
        met = [rate for rate, threshold in self.points if score >= threshold]
        return min(met, default=None)

    def to_json(self) -> dict[str, Any]:
        """Return it in values that JSON can hold."""
        return dict(points=[list(point) for point in self.points], source=self.source)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> 'Calibration':
        """Return what :meth:`to_json` was of."""
        return cls(
            tuple((float(f), float(t)) for f, t in values['points']), values['source']
        )


def read_calibration(path: str | Path) -> Calibration:
    """Read the thresholds that ``eval_features.py --verification --out`` wrote.

    Args:
        path: ``<file>_thresholds.json``.

    Raises:
        GalleryError: It doesn't exist, isn't such a file, is of another distance than
            cosine, or has no threshold.

    Example:
        >>> point = {'FAR at most': 0.001, 'FAR': 0.001, 'threshold': 0.7}
        >>> report = {'verification': {'distance': 'cosine', 'points': [point]}}
        >>> _ = Path('market_thresholds.json').write_text(json.dumps(report))
        >>> read_calibration('market_thresholds.json').points
        ((0.001, 0.7),)
    """
    path = Path(path).expanduser()
    try:
        report = json.loads(path.read_text(encoding='utf-8'))['verification']
        distance, listed = report['distance'], report['points']
        points = sorted(
            (float(point['FAR at most']), float(point['threshold']))
            for point in listed
            if point['threshold'] is not None
        )
    except FileNotFoundError:
        raise GalleryError(f"Thresholds '{path}' do not exist.") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise GalleryError(
            f"'{path}' is no file of thresholds: expected one that "
            'tools/analysis_tools/eval_features.py --verification --out wrote.'
        ) from None
    if distance != 'cosine':
        raise GalleryError(
            f"'{path}' has thresholds of the {distance} distance; a search compares by "
            'cosine similarity: measure them with --distance cosine.'
        )
    if not points:
        raise GalleryError(
            f"'{path}' has no threshold: no pair of one person was accepted at any of "
            'its false-accept rates.'
        )
    return Calibration(tuple(points), path.name)

"""How sure a score is: bootstrap intervals, and paired tests of two runs.

What is averaged (a score of each query) is computed in ``ranking``.
"""

from .bootstrap import Interval, PairedTest, bootstrap_mean, compare_means
from .curve_bootstrap import bootstrap_band

__all__ = [
    'Interval',
    'PairedTest',
    'bootstrap_band',
    'bootstrap_mean',
    'compare_means',
]

"""Bootstrap intervals of a mean over queries, and paired tests of a difference.

What is drawn anew are identities, with all their queries, not single queries. Queries
of one identity are searched for among the same matches and succeed or fail
together; drawn one by one they would count as more evidence than they are, and the
interval would be too narrow (docs/evaluation.md has figures).
"""

from dataclasses import dataclass

import numpy as np
import scipy  # whose parts are loaded when they are used

_BATCH = 2**22  # numbers drawn at once: 32 MiB of indices


@dataclass(frozen=True)
class Interval:
    """A mean and its percentile bootstrap interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class PairedTest:
    """Mean of ``b - a``, its interval, and the p-value of there being none."""

    difference: float
    low: float
    high: float
    p_value: float


def bootstrap_mean(
    values: np.ndarray,
    groups: np.ndarray | None = None,
    *,
    confidence: float = 0.95,
    num_resamples: int = 9999,
    seed: int = 0,
) -> Interval:
    """Return the mean over queries with a percentile bootstrap interval.

    Args:
        values: A score of each query, ``(Q,)``; NaN for queries that don't count.
        groups: What is drawn with replacement: the identity of each query, ``(Q,)``.
            None draws single queries, for data with one query an identity.
        confidence: Share of intervals that hold the true mean, in (0, 1).
        num_resamples: Number of draws.
        seed: Of the draws.

    Raises:
        ValueError: Shapes or numbers are wrong, or fewer than two groups count.

    Example:
        >>> import numpy as np
        >>> from hplreid.evaluation import bootstrap_mean
        >>> interval = bootstrap_mean(np.array([0.0, 100.0] * 50), num_resamples=999)
        >>> interval.low < 50 < interval.high
        True
    """
    _check_options(confidence, num_resamples)
    sums, counts = _sum_groups(np.asarray(values, dtype=float), groups)
    low, high = _percentiles(sums, counts, confidence, num_resamples, seed)
    return Interval(float(sums.sum() / counts.sum()), low, high)


def compare_means(
    a: np.ndarray,
    b: np.ndarray,
    groups: np.ndarray | None = None,
    *,
    confidence: float = 0.95,
    num_resamples: int = 9999,
    seed: int = 0,
) -> PairedTest:
    """Compare the means of two runs over the same queries.

    The interval is the bootstrap's. The p-value is a two-sided permutation test's: if
    the runs were alike, which of them a group's scores came from would be chance, so
    they are swapped, group by group, at random (all ways, where there are few groups).

    Args:
        a: A score of each query in the first run, ``(Q,)``; NaN where it doesn't count.
        b: The same in the second run, NaN at the same places.
        groups: As in :func:`bootstrap_mean`, as is what follows.
        confidence: In (0, 1).
        num_resamples: Number of draws, and of random swaps.
        seed: Of both.

    Raises:
        ValueError: Shapes or numbers are wrong, queries count in one run alone, or
            fewer than two groups count.

    Example:
        >>> import numpy as np
        >>> from hplreid.evaluation import compare_means
        >>> a = np.linspace(0, 100, 50)
        >>> test = compare_means(a, a + 1, num_resamples=999)
        >>> bool(test.p_value < 0.05)
        True
    """
    _check_options(confidence, num_resamples)
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.shape != b.shape or (np.isnan(a) != np.isnan(b)).any():
        raise ValueError(
            f'The runs must score the same queries; got shapes {a.shape} and '
            f'{b.shape}, {np.isnan(a).sum()} and {np.isnan(b).sum()} of them NaN.'
        )
    sums, counts = _sum_groups(b - a, groups)
    low, high = _percentiles(sums, counts, confidence, num_resamples, seed)
    total = counts.sum()
    # Swapping a group's scores turns the sign of its sum of differences
    test = scipy.stats.permutation_test(
        (sums, np.zeros_like(sums)),
        lambda x, y, axis: (x - y).sum(axis) / total,
        permutation_type='samples',
        vectorized=True,
        n_resamples=num_resamples,
        batch=_batch(sums),
        rng=np.random.default_rng(seed),
    )
    return PairedTest(float(sums.sum() / total), low, high, float(test.pvalue))


def _sum_groups(
    values: np.ndarray, groups: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the sum of the values in each group and their number, ``(I,)`` each."""
    groups = np.arange(len(values)) if groups is None else np.asarray(groups)
    if values.ndim != 1 or values.shape != groups.shape:
        raise ValueError(
            'values and groups must be (Q,) alike; got '
            f'{values.shape} and {groups.shape}.'
        )
    counted = ~np.isnan(values)
    _, index = np.unique(groups[counted], return_inverse=True)
    counts = np.bincount(index)
    if len(counts) < 2:
        raise ValueError(
            f'{counted.sum()} queries of {len(counts)} identities count; an interval '
            'needs two identities at least.'
        )
    return np.bincount(index, values[counted]), counts.astype(float)


def _percentiles(
    sums: np.ndarray,
    counts: np.ndarray,
    confidence: float,
    num_resamples: int,
    seed: int,
) -> tuple[float, float]:
    result = scipy.stats.bootstrap(
        (sums, counts),
        lambda s, n, axis: s.sum(axis) / n.sum(axis),
        paired=True,
        vectorized=True,
        method='percentile',
        confidence_level=confidence,
        n_resamples=num_resamples,
        batch=_batch(sums),
        rng=np.random.default_rng(seed),
    )
    low, high = result.confidence_interval
    return float(low), float(high)


def _batch(sums: np.ndarray) -> int:
    return max(1, _BATCH // len(sums))


def _check_options(confidence: float, num_resamples: int) -> None:
    if not 0 < confidence < 1 or num_resamples < 1:
        raise ValueError(
            'confidence must be in (0, 1) and num_resamples at least 1; got '
            f'{confidence} and {num_resamples}.'
        )

"""Intervals and tests of a difference against explicit draws and known chances."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from hplreid.evaluation import bootstrap_mean, compare_means


def clustered(rng, identities=60, queries=8):
    """Scores of queries that mostly share the fate of their identity; mean 50."""
    common = np.repeat(rng.normal(50, 10, identities), queries)
    groups = np.repeat(np.arange(identities), queries)
    return common + rng.normal(0, 3, len(common)), groups


def slow_bootstrap(values, groups, num, seed):
    """Draw whole groups, join their values, take the mean; again and again."""
    rng = np.random.default_rng(seed)
    members = [values[groups == g] for g in np.unique(groups)]
    means = []
    for _ in range(num):
        drawn = rng.integers(0, len(members), len(members))
        means.append(np.concatenate([members[i] for i in drawn]).mean())
    return np.percentile(means, [2.5, 97.5])


def test_interval_equals_explicit_draws_of_identities():
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 40, 300)  # of unequal size
    values = rng.normal(50, 5, 300) + 0.5 * groups
    found = bootstrap_mean(values, groups)
    low, high = slow_bootstrap(values, groups, 4000, 1)
    assert found.mean == pytest.approx(values.mean())
    assert found.low == pytest.approx(low, abs=0.05 * (high - low))
    assert found.high == pytest.approx(high, abs=0.05 * (high - low))


def test_intervals_hold_the_truth_as_often_as_they_say():
    """Identities drawn: about 95 of 100. Queries drawn: far less."""
    rng = np.random.default_rng(1)
    held = {'identities': 0, 'queries': 0}
    for seed in range(100):
        values, groups = clustered(rng)
        for name, drawn in (('identities', groups), ('queries', None)):
            found = bootstrap_mean(values, drawn, num_resamples=399, seed=seed)
            held[name] += found.low <= 50 <= found.high
    assert 88 <= held['identities'] <= 99
    assert held['queries'] < 75


def test_queries_that_do_not_count_change_nothing():
    values, groups = clustered(np.random.default_rng(2))
    more = np.append(values, [np.nan, np.nan]), np.append(groups, [0, 999])
    assert bootstrap_mean(*more) == bootstrap_mean(values, groups)


def test_same_seed_same_interval():
    values, groups = clustered(np.random.default_rng(3))
    first, again, other = (bootstrap_mean(values, groups, seed=s) for s in (0, 0, 1))
    assert first == again != other


def test_p_value_counts_all_swaps_of_few_identities():
    """Six identities have 64 ways to be swapped: the test takes each once."""
    rng = np.random.default_rng(4)
    groups = np.repeat(np.arange(6), 3)
    a, b = rng.normal(50, 5, 18), rng.normal(54, 5, 18)
    sums = np.bincount(groups, b - a)
    totals = [
        sum(s * d for s, d in zip(x, sums, strict=True))
        for x in product((1, -1), repeat=6)
    ]
    as_far = np.mean(np.abs(totals) >= abs(sums.sum()) - 1e-9)
    test = compare_means(a, b, groups)
    assert test.p_value == pytest.approx(as_far)
    assert test.difference == pytest.approx((b - a).mean())
    assert test.low < test.difference < test.high


def test_p_value_is_near_that_of_the_paired_t_test():
    rng = np.random.default_rng(5)
    a = rng.normal(50, 5, 200)
    b = a + rng.normal(0.3, 2, 200)
    expected = stats.ttest_rel(a, b).pvalue
    assert 0.005 < expected < 0.5
    test = compare_means(a, b)
    assert test.p_value == pytest.approx(expected, abs=0.02)
    backwards = compare_means(b, a)
    assert backwards.difference == -test.difference
    assert backwards.p_value == pytest.approx(test.p_value, abs=0.01)


def test_runs_that_are_alike_differ_by_chance():
    values, groups = clustered(np.random.default_rng(6))
    test = compare_means(values, values, groups)
    assert (test.difference, test.low, test.high, test.p_value) == (0, 0, 0, 1)


@pytest.mark.parametrize(
    ('values', 'options', 'message'),
    [
        ([1.0, 2.0], {'groups': [1]}, r'must be \(Q,\) alike; got \(2,\) and \(1,\)'),
        ([1.0, 2.0], {'groups': [1, 1]}, '2 queries of 1 identities count'),
        ([1.0, 2.0], {'confidence': 95}, 'confidence must be in .* got 95'),
        ([1.0, 2.0], {'num_resamples': 0}, 'num_resamples at least 1'),
    ],
)
def test_wrong_input_is_named(values, options, message):
    with pytest.raises(ValueError, match=message):
        bootstrap_mean(np.array(values), **options)


def test_runs_over_other_queries_are_refused():
    with pytest.raises(ValueError, match='must score the same queries'):
        compare_means(np.array([1.0, np.nan, 3]), np.array([1.0, 2, 3]))
    with pytest.raises(ValueError, match=r'got shapes \(2,\) and \(3,\)'):
        compare_means(np.ones(2), np.ones(3))

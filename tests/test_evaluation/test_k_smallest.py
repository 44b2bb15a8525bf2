"""The k smallest of each row, of exact values and of rounded ones."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hplreid.evaluation.k_smallest import greatest, nearest, smallest

BLOCKS = dict(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(1, 9),
    columns=st.integers(1, 900),
    k=st.integers(1, 12),
    values=st.sampled_from([1, 3, 20, 10**6]),
)


@settings(max_examples=60, deadline=None)
@given(**BLOCKS)
def test_smallest_equals_a_stable_sort(seed, rows, columns, k, values):
    block = np.random.default_rng(seed).integers(0, values, (rows, columns))
    k = min(k, columns)
    found, items = smallest(torch.from_numpy(block.astype(np.float32)), k)
    expected = block.argsort(axis=1, kind='stable')[:, :k]
    np.testing.assert_array_equal(items, expected)
    np.testing.assert_array_equal(found, np.take_along_axis(block, expected, axis=1))


@settings(max_examples=60, deadline=None)
@given(**BLOCKS, margin=st.sampled_from([0.0, 0.3, 2.0, 50.0]))
def test_rounded_values_hide_nothing(seed, rows, columns, k, values, margin):
    """Wherever within its margin a value is, the exact ones decide."""
    rng = np.random.default_rng(seed)
    exact = rng.integers(0, values, (rows, columns)).astype(float)
    margins = margin * rng.random((rows, 1))
    block = torch.from_numpy(exact + margins * rng.choice([-1, 0, 1], exact.shape))
    k = min(k, columns)
    functions = lambda i, j: exact[i, j], lambda: torch.from_numpy(exact)
    items = nearest(block, k, margins, *functions)
    expected = exact.argsort(axis=1, kind='stable')[:, :k]
    np.testing.assert_array_equal(items, expected)
    farthest = greatest(block, margins, *functions)
    np.testing.assert_array_equal(farthest, exact.max(axis=1))


def test_only_what_is_undecided_is_computed():
    """Of 5,000 values, 1 apart, two of each row are closer than they may be off."""
    rng = np.random.default_rng(0)
    exact = rng.permuted(np.tile(np.arange(5000.0), (7, 1)), axis=1)
    exact[exact == 11] = 10.5
    asked = []

    def pairs(rows, columns):
        asked.extend(exact[rows, columns].tolist())
        return exact[rows, columns]

    def whole():
        raise AssertionError('too many')

    block, margins = torch.from_numpy(exact + 0.1), np.full((7, 1), 0.3)
    items = nearest(block, 30, margins, pairs, whole)
    np.testing.assert_array_equal(items, exact.argsort(axis=1)[:, :30])
    assert sorted(asked) == [10] * 7 + [10.5] * 7


def test_a_block_of_equal_values_is_computed_as_a_whole():
    exact = np.ones((3, 400))

    def pairs(rows, columns):
        raise AssertionError('one by one')

    functions = pairs, lambda: torch.from_numpy(exact)
    block = torch.from_numpy(exact + 0.1)
    items = nearest(block, 5, np.ones((3, 1)), *functions)
    assert items.tolist() == [[0, 1, 2, 3, 4]] * 3
    assert greatest(block, np.ones((3, 1)), *functions).tolist() == [1] * 3

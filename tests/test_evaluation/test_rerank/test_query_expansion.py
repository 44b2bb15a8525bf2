"""Query expansion and database augmentation against explicit loops."""

import numpy as np
import pytest
import torch

from hplreid.evaluation import augment_gallery, average_query_expansion


def unit(vector):
    return vector / np.linalg.norm(vector)


def slow_expansion(queries, gallery, k, alpha, itself=False):
    expanded = []
    for i, query in enumerate(queries):
        cosines = [unit(query) @ unit(item) for item in gallery]
        order = sorted(
            (j for j in range(len(gallery)) if not (itself and i == j)),
            key=lambda j, c=cosines: (-c[j], j),
        )
        total = unit(query)
        for j in order[:k]:
            weight = 1 if alpha == 0 else max(cosines[j], 0) ** alpha
            total = total + weight * unit(gallery[j])
        expanded.append(unit(total))
    return np.array(expanded)


@pytest.mark.parametrize('alpha', [0, 1, 3, 0.5])
@pytest.mark.parametrize('k', [1, 4, 100])
def test_expansion_equals_loops(k, alpha):
    for seed in range(10):
        rng = np.random.default_rng(seed)
        queries, gallery = rng.normal(size=(9, 5)), rng.normal(size=(30, 5))
        result = average_query_expansion(
            queries, gallery, k, alpha, block_size=int(rng.integers(1, 12))
        )
        expected = slow_expansion(queries, gallery, k, alpha)
        np.testing.assert_allclose(result, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize('alpha', [0, 3])
@pytest.mark.parametrize('k', [1, 4, 100])
def test_augmentation_equals_loops(k, alpha):
    for seed in range(10):
        rng = np.random.default_rng(seed)
        gallery = rng.normal(size=(30, 5))
        result = augment_gallery(gallery, k, alpha, block_size=int(rng.integers(1, 40)))
        expected = slow_expansion(gallery, gallery, k, alpha, itself=True)
        np.testing.assert_allclose(result, expected, rtol=0, atol=1e-9)


def test_ties_are_taken_in_the_order_of_the_gallery():
    query, gallery = [[1.0, 0, 0]], [[0, 0, 2.0], [0, 3.0, 0], [0, 0, 1.0]]
    result = average_query_expansion(np.array(query), np.array(gallery), k=1)
    np.testing.assert_allclose(result, [[0.5**0.5, 0, 0.5**0.5]])


def test_a_duplicate_is_a_neighbor_but_an_item_is_not_its_own():
    gallery = np.array([[1.0, 0], [1.0, 0], [0, 1.0]])
    expected = [[1, 0], [1, 0], [0.5**0.5, 0.5**0.5]]
    np.testing.assert_allclose(augment_gallery(gallery, k=1), expected)
    np.testing.assert_allclose(augment_gallery(gallery[:1] * 5, k=3), [[1, 0]])


def test_half_precision_and_given_features():
    """Computed in float32, normalized, and what was given stays."""
    feats = torch.randn(20, 8).half()
    before = feats.clone()
    result = average_query_expansion(feats[:5], feats[5:], k=3)
    assert result.dtype == torch.float32
    torch.testing.assert_close(result.norm(dim=1), torch.ones(5))
    assert torch.equal(feats, before)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'k': 0}, 'k must be an integer from 1; got 0'),
        ({'alpha': -1}, 'alpha must be at least 0; got -1'),
        ({'block_size': 0}, 'block_size must be an integer from 1; got 0'),
    ],
)
def test_wrong_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        average_query_expansion(np.eye(2), np.eye(2), **options)
    with pytest.raises(ValueError, match=message):
        augment_gallery(np.eye(2), **options)

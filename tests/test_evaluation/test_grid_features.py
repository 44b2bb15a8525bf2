"""Products on the grid are exact: no order of sums shows, and none is far off."""

from fractions import Fraction

import numpy as np
import pytest
import torch

from hplreid.evaluation.block_distance import BlockDistance
from hplreid.evaluation.grid_features import GridFeatures

WIDTHS = [1, 2, 31, 512, 2048]
DTYPES = [np.float32, np.float64]


def random_feats(rows, width, dtype, seed=0):
    """Rows of all sizes, one of zeros, and one of numbers that have no square."""
    rng = np.random.default_rng(seed)
    feats = rng.normal(size=(rows, width)) * 10.0 ** rng.integers(-9, 9, (rows, 1))
    feats[0], feats[1] = 0, 1e-40
    return torch.from_numpy(feats.astype(dtype))


@pytest.mark.parametrize('width', WIDTHS)
@pytest.mark.parametrize('dtype', DTYPES)
def test_products_are_exact_in_any_order(width, dtype):
    feats = random_feats(40, width, dtype)
    grid = GridFeatures(feats)
    every = slice(None)
    products = grid.products(every, grid, every)
    rows, columns = np.indices((40, 40)).reshape(2, -1)
    pairs = grid.pairs(rows, grid, columns).reshape(40, 40)
    np.testing.assert_array_equal(products, pairs)
    np.testing.assert_array_equal(grid.squares[:, 0], pairs.diagonal())
    np.testing.assert_array_equal(pairs, pairs.T)
    # Shapes, and an order that no library would choose
    for piece in (slice(3, 4), slice(7, 33)):
        part = grid.products(piece, grid, every)
        np.testing.assert_array_equal(part, products[piece])
    order = torch.from_numpy(np.random.default_rng(1).permutation(width))
    shuffled = GridFeatures(feats[:, order])
    other = shuffled.products(every, shuffled, every)
    np.testing.assert_array_equal(other, products)
    if dtype == np.float32:
        numbers = (
            [Fraction(float(x)) for x in grid.rounded[5]],
            [Fraction(float(x)) for x in grid.rounded[9]],
        )
        exact = sum(a * b for a, b in zip(*numbers, strict=True))
        assert exact == Fraction(float(products[5, 9]))


@pytest.mark.parametrize('width', WIDTHS)
@pytest.mark.parametrize('dtype', DTYPES)
def test_the_grid_is_fine(width, dtype):
    feats = random_feats(40, width, dtype)
    grid = GridFeatures(feats)
    assert grid.rounded.dtype == feats.dtype
    off = (grid.rounded.double() - feats.double()).abs().amax(1)
    largest = feats.double().abs().amax(1)
    most = 2.0**-21 if dtype == np.float32 else 2.0**-41
    assert (off[2:] <= most * largest[2:]).all()
    assert (off[:2] <= 1e-36).all()
    products = grid.products(slice(None), grid, slice(None)).numpy()
    exact = feats.double().numpy() @ feats.double().numpy().T
    lengths = np.linalg.norm(feats.double().numpy(), axis=1)
    error = np.abs(products - exact)[2:, 2:] / np.outer(lengths, lengths)[2:, 2:]
    assert error.max() < (1e-6 if dtype == np.float32 else 1e-11)
    rounded = grid.rounded.double().numpy()
    far = np.abs(products - rounded @ rounded.T)
    bound = (grid.error + 1e-15 * width) * np.outer(lengths, lengths) * 1.01
    assert (far <= bound + 1e-70).all()


@pytest.mark.parametrize('distance', ['cosine', 'sqeuclidean'])
@pytest.mark.parametrize('dtype', DTYPES)
def test_distances_of_blocks_are_those_of_pairs(distance, dtype):
    rng = np.random.default_rng(2)
    query = rng.normal(size=(30, 70)).astype(dtype)
    gallery = rng.normal(size=(5000, 70)).astype(dtype)
    gallery[[7, 2047, 2048, 4999]] = query[3]
    distances = BlockDistance.between(query, gallery, distance)
    whole = distances.block(0, 30).numpy()
    assert whole.dtype == dtype
    if distance == 'cosine':
        unit = [
            f / np.linalg.norm(f.astype(float), axis=1)[:, None]
            for f in (query, gallery)
        ]
        expected = -(unit[0] @ unit[1].T)
    else:
        wide = query.astype(float), gallery.astype(float)
        expected = ((wide[0][:, None, :] - wide[1][None, :400, :]) ** 2).sum(-1)
        assert (whole[3, [7, 2047, 2048, 4999]] == 0).all()
    tolerance = 1e-6 if dtype == np.float32 else 1e-11
    np.testing.assert_allclose(
        whole[:, : expected.shape[1]], expected, rtol=tolerance, atol=tolerance
    )
    assert len(set(whole[3, [7, 2047, 2048, 4999]].tolist())) == 1
    parts = [distances.block(i, i + 7) for i in range(0, 30, 7)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    out = np.empty((9, 1234), dtype)
    distances.block(4, 13, 3766, out)
    np.testing.assert_array_equal(out, whole[4:13, 3766:])
    rows, columns = rng.integers(0, 30, 999), rng.integers(0, 5000, 999)
    np.testing.assert_array_equal(distances.pairs(rows, columns), whole[rows, columns])

"""Re-ranking against its definition on full matrices."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hplreid.evaluation import (
    KReciprocalReranker,
    RerankSettings,
    evaluate_distances,
    evaluate_reranking,
    k_reciprocal_rerank,
    k_smallest,
)
from hplreid.evaluation.rerank import encoding, jaccard
from hplreid.evaluation.rerank.joint_distances import JointDistances
from hplreid.evaluation.rerank.neighbors import find_neighbors
from tests.test_evaluation.dense_rerank import dense_rerank, squared_distances

DEVICES = ['cpu', pytest.param('cuda', marks=pytest.mark.gpu)]


def random_feats(kind, total, length, rng):
    if kind == 'noise':
        return rng.normal(size=(total, length))
    if kind == 'ties':  # exact in every type, with duplicates
        return rng.integers(0, 3, (total, length)).astype(float)
    if kind == 'same':
        return np.ones((total, length))
    centers = rng.normal(size=(5, length))
    return centers[rng.integers(0, 5, total)] + 0.2 * rng.normal(size=(total, length))


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    kind=st.sampled_from(['noise', 'ties', 'clusters', 'clusters', 'same']),
    queries=st.integers(1, 25),
    gallery=st.integers(1, 50),
    length=st.integers(1, 6),
    k1=st.integers(1, 30),
    k2=st.integers(1, 10),
    share=st.sampled_from([0, 0.3, 1]),
    block_size=st.integers(1, 80),
)
def test_equals_the_definition(
    seed, kind, queries, gallery, length, k1, k2, share, block_size
):
    """Whatever the sizes, with k1 and k2 above N among them."""
    rng = np.random.default_rng(seed)
    feats = random_feats(kind, queries + gallery, length, rng)
    expected = dense_rerank(squared_distances(feats), queries, k1, k2, share)
    result = k_reciprocal_rerank(
        feats[:queries], feats[queries:], k1, k2, share, block_size=block_size
    )
    assert result.shape == (queries, gallery)
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize('seed', range(2))
@pytest.mark.parametrize(('k1', 'k2'), [(20, 6), (50, 15)])
def test_equals_the_definition_where_rows_and_work_are_split(seed, k1, k2, monkeypatch):
    """So many items that bounds are folded, and blocks and threads share the work."""
    monkeypatch.setattr(encoding, '_ROWS', 64)
    monkeypatch.setattr(jaccard, '_ENTRIES', 500)
    monkeypatch.setattr(jaccard, '_CELLS', 1000)
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(20, 16))
    feats = centers[rng.integers(0, 20, 450)] + rng.uniform(0.3, 1) * rng.normal(
        size=(450, 16)
    )
    expected = dense_rerank(squared_distances(feats), 60, k1, k2, 0.3)
    result = k_reciprocal_rerank(feats[:60], feats[60:], k1, k2, block_size=100)
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-9)
    assert np.ptp(expected) > 0.3  # the case has near and far


@pytest.mark.parametrize('device', DEVICES)
@pytest.mark.parametrize('dtype', [torch.float16, torch.float32, torch.float64])
def test_types_and_devices(dtype, device):
    """Integers have exact products in any type, so even ties agree."""
    rng = np.random.default_rng(0)
    for _ in range(10):
        feats = rng.integers(-2, 3, (70, 5)).astype(float)
        expected = dense_rerank(squared_distances(feats), 20, 8, 3, 0.3)
        given = torch.tensor(feats, dtype=dtype, device=device)
        result = k_reciprocal_rerank(given[:20], given[20:], 8, 3, 0.3, block_size=32)
        assert result.dtype == (np.float64 if dtype == torch.float64 else np.float32)
        np.testing.assert_allclose(result, expected, rtol=0, atol=1e-5)


def test_float32_equals_the_definition_on_the_same_matrix():
    """Ranks of near-ties hang on the last bit, so both sides get one matrix."""
    rng = np.random.default_rng(3)
    centers = rng.normal(size=(15, 64))
    feats = centers[rng.integers(0, 15, 300)] + rng.normal(size=(300, 64))
    feats = (feats / np.linalg.norm(feats, axis=1, keepdims=True)).astype(np.float32)
    matrix = JointDistances(feats[:50], feats[50:]).block(0, 300).numpy()
    expected = dense_rerank(matrix.astype(float), 50, 20, 6, 0.3)
    result = k_reciprocal_rerank(feats[:50], feats[50:], 20, 6, block_size=300)
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize('distance', ['euclidean', 'cosine'])
@pytest.mark.parametrize('variant', ['original', 'transreid', 'torchreid', 'fastreid'])
def test_variants(variant, distance):
    """Each by what it makes of the squared distances."""
    for seed in range(4):
        rng = np.random.default_rng(seed)
        feats = random_feats(['noise', 'clusters'][seed % 2], 90, 5, rng)
        unit = feats / np.linalg.norm(feats, axis=1, keepdims=True)
        squares = squared_distances(unit if distance == 'cosine' else feats)
        if variant == 'original':
            expected = dense_rerank(squares, 30, 20, 6, 0.3)
        elif variant == 'transreid':
            expected = dense_rerank(squares, 30, 50, 15, 0.3)
        elif variant == 'torchreid' and distance == 'euclidean':
            expected = dense_rerank(squares**2, 30, 20, 6, 0.3)
        elif variant == 'torchreid':
            expected = dense_rerank((1 - unit @ unit.T) ** 2, 30, 20, 6, 0.3)
        else:
            added = 1 - unit @ unit.T if distance == 'cosine' else squares
            expected = dense_rerank(squares, 30, 20, 6, 0.3, fastreid=True, add=added)
        result = k_reciprocal_rerank(
            feats[:30], feats[30:], variant=variant, distance=distance
        )
        np.testing.assert_allclose(result, expected, rtol=0, atol=1e-6)


def test_fastreid_with_more_averaged_than_searched():
    feats = np.random.default_rng(1).normal(size=(40, 3))
    squares = squared_distances(feats)
    for k1, k2 in ((1, 3), (3, 9)):
        expected = dense_rerank(squares, 10, k1, k2, 0.3, fastreid=True)
        result = k_reciprocal_rerank(feats[:10], feats[10:], k1, k2, variant='fastreid')
        np.testing.assert_allclose(result, expected, rtol=0, atol=1e-9)


def test_worked_by_hand():
    """Items at 0 | 1, 10, 11 with k1 = 1, k2 = 1: two pairs that know each other."""
    result = k_reciprocal_rerank(
        np.array([[0.0]]), np.array([[1.0], [10.0], [11.0]]), 1, 1, 0.3
    )
    # Row 0 has o = (0, 1, 100, 121) / 121, row 1 o = (1, 0, 81, 100) / 100.
    a, b = np.exp(-1 / 121), np.exp(-1 / 100)
    common = min(1 / (1 + a), b / (1 + b)) + min(a / (1 + a), 1 / (1 + b))
    near = 0.7 * (1 - common / (2 - common)) + 0.3 / 121
    np.testing.assert_allclose(
        result, [[near, 0.7 + 0.3 * 100 / 121, 1.0]], rtol=0, atol=1e-12
    )


def test_far_items_still_weigh_something_in_fastreid():
    """``exp(-D)`` of these distances underflows, their softmax doesn't."""
    feats = np.array([[0.0], [60.0], [61.0], [200.0]], dtype=np.float32)
    result = k_reciprocal_rerank(feats[:1], feats[1:], 3, 2, 0, variant='fastreid')
    assert np.isfinite(result).all()


def test_neighbors_in_the_order_of_the_items():
    feats = np.array([[0.0], [1.0], [-1.0], [0.0], [1.0]])
    found = find_neighbors(JointDistances(feats[:2], feats[2:]), 4, block_size=2)
    assert found.indices.tolist() == [
        [0, 3, 1, 2],
        [1, 4, 0, 3],
        [2, 0, 3, 1],
        [0, 3, 1, 2],
        [1, 4, 0, 3],
    ]
    assert found.greatest.tolist() == [1, 4, 4, 1, 4]


def test_block_size_changes_nothing():
    feats = np.random.default_rng(5).normal(size=(120, 8))
    whole = k_reciprocal_rerank(feats[:40], feats[40:], block_size=1000)
    for block_size in (1, 7, 64):
        result = k_reciprocal_rerank(feats[:40], feats[40:], block_size=block_size)
        np.testing.assert_allclose(result, whole, rtol=0, atol=1e-9)


def test_blocks_and_topk_are_parts_of_the_whole():
    feats = np.random.default_rng(6).integers(0, 3, (90, 4)).astype(float)
    args = (feats[:30], feats[30:], 6, 3, 0.3)
    whole = k_reciprocal_rerank(*args)
    reranker = KReciprocalReranker(*args)
    assert (reranker.num_queries, reranker.num_gallery) == (30, 60)
    np.testing.assert_array_equal(np.concatenate(list(reranker.blocks(7))), whole)
    np.testing.assert_array_equal(reranker.block(11, 13), whole[11:13])
    nearest = k_reciprocal_rerank(*args, topk=5, block_size=13)
    order = whole.argsort(axis=1, kind='stable')[:, :5]
    np.testing.assert_array_equal(nearest.indices, order)
    np.testing.assert_array_equal(
        nearest.distances, np.take_along_axis(whole, order, axis=1)
    )
    assert k_reciprocal_rerank(*args, topk=1000).indices.shape == (30, 60)


def test_given_features_are_not_changed():
    feats = torch.randn(30, 4)
    before = feats.clone()
    for distance in ('euclidean', 'cosine'):
        k_reciprocal_rerank(feats[:10], feats[10:], 5, 2, distance=distance)
    assert torch.equal(feats, before)


@pytest.mark.parametrize(('cameras', 'ap'), [(False, 'trapezoid'), (True, 'step')])
@pytest.mark.parametrize('block_size', [1, 16, 500])
def test_fused_scores_are_those_of_the_distances(cameras, ap, block_size):
    """Among skipped queries, whole blocks of them with small blocks, and junk."""
    rng = np.random.default_rng(7)
    feats = random_feats('clusters', 140, 6, rng)
    q_pids, g_pids = rng.integers(0, 12, 40), rng.integers(-1, 8, 100)
    q_pids[:20] = 99
    cams = (rng.integers(0, 2, 40), rng.integers(0, 2, 100)) if cameras else ()
    kept = g_pids != -1
    distances = k_reciprocal_rerank(feats[:40], feats[40:][kept], 7, 3, 0.2)
    expected = evaluate_distances(
        distances,
        q_pids,
        g_pids[kept],
        *((cams[0], cams[1][kept]) if cameras else ()),
        topk=(1, 3),
        ap=ap,
    )
    result = evaluate_reranking(
        feats[:40],
        torch.from_numpy(feats[40:]),
        q_pids,
        g_pids,
        *cams,
        k1=7,
        k2=3,
        lambda_value=0.2,
        topk=(1, 3),
        ap=ap,
        block_size=block_size,
    )
    assert result.num_skipped_queries >= 20
    assert result.num_gallery == kept.sum()
    assert result.topk == (1, 3)
    assert result.ap_definition == ap
    columns = 'ap', 'inp', 'first_hit', 'skipped_queries', 'tied_queries', 'first_tie'
    for name in columns:
        np.testing.assert_array_equal(getattr(result, name), getattr(expected, name))
    np.testing.assert_allclose(result.cmc, expected.cmc, rtol=0, atol=1e-9)
    assert result.mean_ap == pytest.approx(expected.mean_ap, abs=1e-9)
    assert result.mean_inp == pytest.approx(expected.mean_inp, abs=1e-9)


def test_fused_memory_does_not_grow_with_the_queries(monkeypatch):
    """No more than a block of distances is asked for at a time."""
    asked = {'rounded': [], 'block': []}

    def spy_on(name):
        method = getattr(JointDistances, name)

        def spy(*args, **options):
            result = method(*args, **options)
            asked[name].append(tuple(result.shape))
            return result

        monkeypatch.setattr(JointDistances, name, spy)

    spy_on('rounded')
    spy_on('block')
    monkeypatch.setattr(k_smallest, '_MOST_CANDIDATES', 1)
    feats = np.random.default_rng(8).normal(size=(100, 4))
    evaluate_reranking(
        feats[:50], feats[50:], np.arange(50) % 5, np.arange(50) % 5, block_size=16
    )
    assert asked['rounded'] == [(16, 100)] * 6 + [(4, 100)]
    assert asked['block'] == [(16, 50)] * 3 + [(2, 50)]


def test_settings_say_what_is_in_use():
    feats = np.random.default_rng(9).normal(size=(30, 4))
    reranker = KReciprocalReranker(feats[:10], feats[10:], variant='transreid', k2=9)
    assert reranker.settings == RerankSettings.choose('transreid', k2=9)
    assert str(reranker.settings) == (
        'k-reciprocal re-ranking (transreid, k1=50, k2=9, lambda=0.3, euclidean)'
    )
    assert 'original, k1=20, k2=6, lambda=0.3' in str(RerankSettings.choose())


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'variant': 'fast'}, "Unknown variant 'fast'.*'original'"),
        ({'distance': 'manhattan'}, "Unknown distance 'manhattan'.*'cosine'"),
        ({'k1': 0}, 'k1 must be an integer from 1; got 0'),
        ({'k2': 1.5}, 'k2 must be an integer from 1; got 1.5'),
        ({'lambda_value': 1.1}, r'lambda_value must be in \[0, 1\]; got 1.1'),
        ({'topk': 0}, 'topk must be at least 1; got 0'),
        ({'block_size': 0}, 'block_size must be at least 1; got 0'),
        ({'query_feats': np.ones((3, 5))}, 'differ in length: 5 and 4'),
        ({'query_feats': np.ones(4)}, 'query_feats must be'),
        ({'gallery_feats': np.full((3, 4), np.inf)}, '3 of 3 rows of gallery_feats'),
    ],
)
def test_wrong_options_are_named(options, message):
    good = {'query_feats': np.eye(3, 4), 'gallery_feats': np.eye(5, 4)}
    with pytest.raises(ValueError, match=message):
        k_reciprocal_rerank(**{**good, **options})


def test_fused_errors():
    feats = np.eye(6, 4)
    with pytest.raises(ValueError, match='2 query and 4 gallery features are given, '):
        evaluate_reranking(feats[:2], feats[2:], [0, 1], [0, 1, 2])
    with pytest.raises(ValueError, match='None of the 2 queries has a match'):
        evaluate_reranking(feats[:2], feats[2:], [0, 1], [2, 3, 4, 5])

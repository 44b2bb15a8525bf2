"""No product's rounding reaches a result, however a library rounds.

A product here is off by most of what its bound allows, in any direction: worse than any
kernel. And blocks, threads and the order of the gallery change nothing.
"""

import dataclasses

import numpy as np
import pytest
import torch

from hplreid.evaluation import (
    augment_gallery,
    average_query_expansion,
    evaluate_ranking,
    evaluate_reranking,
    k_reciprocal_rerank,
    open_set_report,
    rank_gallery,
    verification_report,
)
from hplreid.evaluation.ranking.distance_sources import FeatureSource
from hplreid.evaluation.rerank.joint_distances import JointDistances
from hplreid.structures.ranked_list import RankedItem
from tests.test_evaluation.cases import assert_same, random_case

CASE = random_case(60, 1900, 129)  # a quarter of the gallery are copies
FEATS = CASE[:2]


@pytest.fixture
def badly_rounded(monkeypatch):
    """Add errors to all products; with their own they stay within the bounds."""
    rng = np.random.default_rng(0)

    def spoil(values, margins):
        errors = margins * rng.choice([-0.6, 0, 0.6], tuple(values.shape))
        return values + torch.from_numpy(errors).to(values)

    tile, rounded = FeatureSource.tile, JointDistances.rounded
    called = []

    def bad_tile(self, queries, gallery):
        called.append('tile')
        return spoil(tile(self, queries, gallery), self.margins(queries, gallery))

    def bad_block(self, start, stop, out=None):
        called.append('block')
        return spoil(rounded(self, start, stop), self.margins(start, stop))

    monkeypatch.setattr(FeatureSource, 'tile', bad_tile)
    monkeypatch.setattr(JointDistances, 'rounded', bad_block)
    return called


@pytest.mark.parametrize('distance', ['cosine', 'euclidean'])
def test_ranking(distance, request):
    expected = evaluate_ranking(*CASE, distance=distance)
    called = request.getfixturevalue('badly_rounded')
    for block_size in (7, 2048):
        result = evaluate_ranking(*CASE, distance=distance, block_size=block_size)
        assert_same(result, expected)
    assert 'tile' in called


@pytest.mark.parametrize('distance', ['cosine', 'euclidean'])
@pytest.mark.parametrize('variant', ['original', 'torchreid', 'fastreid'])
def test_reranking(distance, variant, request):
    options = {'distance': distance, 'variant': variant}
    expected = k_reciprocal_rerank(*FEATS, **options)
    scores = evaluate_reranking(*CASE, **options)
    called = request.getfixturevalue('badly_rounded')
    np.testing.assert_array_equal(k_reciprocal_rerank(*FEATS, **options), expected)
    assert_same(evaluate_reranking(*CASE, **options, block_size=100), scores)
    assert 'block' in called


@pytest.mark.parametrize('distance', ['cosine', 'sqeuclidean'])
def test_ranked_lists(distance, request):
    items = [RankedItem(f'{i}.jpg', None, 1, 0) for i in range(len(CASE[1]))]

    def listed():
        found = rank_gallery(
            *map(torch.from_numpy, FEATS),
            items[:60],
            items,
            distance=distance,
            drop_same_camera=False,
            num_queries=20,
            topk=50,
        )
        return [(ranked.items, ranked.scores) for ranked in found]

    expected = listed()
    request.getfixturevalue('badly_rounded')
    assert listed() == expected
    # As float64 orders them, and copies by their place
    query, gallery = (side.astype(float) for side in FEATS)
    values = ((query[:1, None] - gallery[None]) ** 2).sum(-1)[0]
    if distance == 'cosine':
        values = -(gallery / np.linalg.norm(gallery, axis=1, keepdims=True)) @ query[0]
    _, first = np.unique(gallery, axis=0, return_inverse=True)
    values = np.array([values[first == group].min() for group in first])
    order = np.argsort(values, kind='stable')[:50]
    assert [item.img_path for item in expected[0][0]] == [f'{i}.jpg' for i in order]


def results():
    """All that must not depend on threads and blocks, but ranking."""
    k = 200
    for block_size in (1000, 17):
        size = {'block_size': block_size}
        yield k_reciprocal_rerank(FEATS[0], FEATS[1][:k], **size)
        yield average_query_expansion(*FEATS, alpha=3, **size).numpy()
        yield augment_gallery(FEATS[1][:k], **size).numpy()
        for distance in ('cosine', 'euclidean'):
            for report in (
                verification_report(*CASE, distance=distance, **size),
                open_set_report(*CASE, distance=distance, absent=0.5, **size),
            ):
                yield from map(np.asarray, dataclasses.astuple(report))


def test_blocks_and_threads():
    before = torch.get_num_threads()
    found = []
    try:
        for number in (1, 2):
            torch.set_num_threads(number)
            found.append(list(results()))
    finally:
        torch.set_num_threads(before)
    half = len(found[0]) // 2
    for value, others in zip(
        found[0][:half],
        zip(found[0][half:], found[1][:half], found[1][half:], strict=True),
        strict=True,
    ):
        for other in others:
            np.testing.assert_array_equal(value, other)


def test_order_of_the_gallery():
    """Scores of pairs don't know it, and neighbors are the same items."""
    order = np.random.default_rng(1).permutation(len(CASE[1]))
    q, g, q_pids, g_pids, q_cams, g_cams = CASE
    shuffled = q, g[order], q_pids, g_pids[order], q_cams, g_cams[order]
    for evaluate in (
        verification_report,
        lambda *case: open_set_report(*case, absent=0.5),
    ):
        both = (dataclasses.astuple(evaluate(*case)) for case in (CASE, shuffled))
        for value, other in zip(*both, strict=True):
            np.testing.assert_array_equal(value, other)
    unique = np.sort(np.unique(g, axis=0, return_index=True)[1])  # copies tie
    order = np.random.default_rng(2).permutation(len(unique))
    whole = k_reciprocal_rerank(q, g[unique], topk=20)
    other = k_reciprocal_rerank(q, g[unique][order], topk=20)
    np.testing.assert_array_equal(order[other.indices], whole.indices)
    np.testing.assert_allclose(other.distances, whole.distances, rtol=0, atol=1e-6)

"""Scores as means over orders, against every order and against closed forms."""

import time
from itertools import permutations
from math import comb

import numpy as np
import pytest

from hplreid.evaluation import (
    RetrievalMetric,
    evaluate_distances,
    evaluate_ranking,
    evaluate_reranking,
    format_table,
    list_ties,
)
from tests.test_evaluation.cases import assert_same, random_case


def scores_of_an_order(distances, order, q_pid, g_pids, q_cam, g_cams, ap):
    """AP, INP and whether a match is among the first k, of one query; by hand."""
    hits, rank = [], 0
    for j in sorted(order, key=lambda j: distances[j]):  # a stable sort
        same = g_pids[j] == q_pid
        if g_pids[j] == -1 or (same and g_cams[j] == q_cam):
            continue
        rank += 1
        if same:
            hits.append(rank)
    if not hits:
        return None
    precisions = []
    for n, hit in enumerate(hits, start=1):
        earlier = (n - 1) / (hit - 1) if hit > 1 else 1
        precisions.append(n / hit if ap == 'step' else (n / hit + earlier) / 2)
    among = [hits[0] <= k for k in range(1, len(distances) + 1)]
    return [np.mean(precisions), len(hits) / hits[-1], *among]


@pytest.mark.parametrize('ap', ['step', 'trapezoid'])
def test_every_order_of_the_gallery(ap):
    """Few distances, people and cameras: ties of matches, mismatches and junk."""
    rng = np.random.default_rng(len(ap))
    scored = 0
    for _ in range(50):
        gallery = int(rng.integers(2, 7))
        ids = [
            rng.integers(0, 2, 3),
            rng.integers(-1, 2, gallery),
            rng.integers(0, 3, 3),
            rng.integers(0, 3, gallery),
        ]
        distances = rng.integers(0, 3, (3, gallery)).astype(np.float32)
        expected, tied, rows = [], [], []
        for i, row in enumerate(distances):
            found = [
                scores_of_an_order(row, o, ids[0][i], ids[1], ids[2][i], ids[3], ap)
                for o in permutations(range(gallery))
            ]
            if found[0] is not None:
                rows.append(i)
                expected.append(100 * np.mean(found, axis=0))
                tied.append(np.ptp([f[0] for f in found]) > 0)
        if not rows:
            continue
        options = {'ap': ap, 'topk': [1, 3, 9]}
        result = evaluate_distances(distances, *ids, ties='expected', **options)
        expected = np.array(expected)
        close = {'rtol': 0, 'atol': 1e-9}
        np.testing.assert_allclose(result.ap[rows], expected[:, 0], **close)
        np.testing.assert_allclose(result.inp[rows], expected[:, 1], **close)
        means = expected.mean(axis=0)
        np.testing.assert_allclose(
            result.cmc, means[2:][: len(result.cmc)], rtol=0, atol=1e-9
        )
        assert result.mean_ap == pytest.approx(means[0], abs=1e-9)
        assert result.mean_inp == pytest.approx(means[1], abs=1e-9)
        for k in range(1, gallery + 1):
            assert result.rank_k(k) == pytest.approx(means[1 + k], abs=1e-9)
        # Every tie of a match and a mismatch moves AP, and nothing else does
        assert result.tied_queries.tolist() == np.array(rows)[tied].tolist()
        plain = evaluate_distances(distances, *ids, **options)
        assert plain.tied_queries.tolist() == result.tied_queries.tolist()
        low, high = plain.r1_range()
        assert low <= min(plain.r1, result.r1) <= max(plain.r1, result.r1) <= high
        scored += any(tied)
    assert scored > 15


def test_a_collapsed_model_by_closed_forms():
    """Of a matches among t equally far items, one query with one, one with two."""
    size = 300
    pids = np.full(size, 9)
    pids[[20]], pids[[4, 250]] = 1, 2
    result = evaluate_ranking(
        np.ones((2, 8)), np.ones((size, 8)), [1, 2], pids, ties='expected', topk=[1, 10]
    )
    harmonic = (1 / np.arange(1, size + 1)).sum()
    # Hits of two: the first counts one, the second half the time another
    pair = (harmonic + (size - harmonic) / (size - 1)) / size
    assert result.ap == pytest.approx([100 * harmonic / size, 100 * pair])
    last_of_two = (size - harmonic) / comb(size, 2)
    assert result.inp == pytest.approx(
        [100 * harmonic / size, 100 * 2 * last_of_two], rel=1e-12
    )
    misses = [comb(size - matches, 10) / comb(size, 10) for matches in (1, 2)]
    assert result.r1 == pytest.approx(100 * (1 / size + 2 / size) / 2)
    assert result.r10 == pytest.approx(100 * (1 - np.mean(misses)))
    assert list_ties(result) == {'ties': 'expected', 'tied': '2 (R1 0.00 to 100.00)'}


def test_nothing_tied_nothing_changed():
    """To the last bit; matches that tie with each other alone are no tie."""
    rng = np.random.default_rng(3)
    feats, pids = rng.normal(size=(60, 16)), np.arange(60) % 7
    feats[49:56] = feats[42:49]  # copies of their own people
    case = feats[:20], feats[20:], pids[:20], pids[20:]
    plain = evaluate_ranking(*case)
    expected = evaluate_ranking(*case, ties='expected')
    assert plain.num_tied_queries == expected.num_tied_queries == 0
    assert list_ties(plain) == {}
    assert_same(expected, plain)
    np.testing.assert_array_equal(expected.cmc, plain.cmc)
    assert (expected.mean_ap, expected.r10) == (plain.mean_ap, plain.r10)


@pytest.mark.parametrize('distance', ['cosine', 'euclidean'])
def test_order_and_blocks_of_the_gallery_change_no_expectation(distance):
    query, gallery, q_pids, g_pids, q_cams, g_cams = random_case(60, 700, 24)
    kept = g_pids != -1
    expected = None
    for seed, sizes in enumerate([(60, 700), (7, 700), (60, 90)]):
        order = np.random.default_rng(seed).permutation(700)
        result = evaluate_ranking(
            query,
            gallery[order],
            q_pids,
            g_pids[order],
            q_cams,
            g_cams[order],
            distance=distance,
            ties='expected',
            block_size=sizes[0],
            gallery_block_size=sizes[1],
        )
        expected = expected or result
        assert result.num_tied_queries > 20
        np.testing.assert_allclose(result.ap, expected.ap, rtol=1e-12)
        np.testing.assert_allclose(result.inp, expected.inp, rtol=1e-12)
        np.testing.assert_allclose(result.cmc, expected.cmc, rtol=1e-12)
        np.testing.assert_array_equal(result.tied_queries, expected.tied_queries)
    assert result.num_gallery == kept.sum()


@pytest.mark.parametrize('noise', [0, 1e-7])
@pytest.mark.parametrize('cameras', [False, True])
def test_collapsed_features_are_counted_like_their_distances(noise, cameras):
    """What is measured all at once, and what is measured one by one, are the same."""
    rng = np.random.default_rng(1)
    feats = (1 + noise * rng.normal(size=(460, 8))).astype(np.float32)
    feats[rng.integers(0, 460, 200)] = feats[5]
    feats[100:120] += rng.normal(size=(20, 8)).astype(np.float32)
    case = random_case(60, 400, 8)
    ids = case[2:] if cameras else case[2:4]
    # Products of float64 as evaluate_ranking takes them, one by one
    norms = np.linalg.norm(feats.astype(np.float64), axis=1, keepdims=True)
    unit = feats / norms.astype(np.float32)
    products = [[(a * b).sum() for b in unit[60:].astype(float)] for a in unit[:60]]
    plain = evaluate_distances(-np.array(products), *ids)
    result = evaluate_ranking(feats[:60], feats[60:], *ids)
    assert_same(result, plain)
    np.testing.assert_array_equal(result.tied_queries, plain.tied_queries)
    np.testing.assert_array_equal(result.first_tie, plain.first_tie)
    assert result.num_tied_queries > 50


def test_a_collapsed_model_is_ranked_soon():
    """It took 7 s, as each of a million pairs was decided for each of 20 matches."""
    pids = np.arange(2000) % 100
    case = np.ones((333, 512), np.float32), np.ones((2000, 512), np.float32)
    start = time.perf_counter()
    result = evaluate_ranking(*case, pids[:333], pids)
    assert time.perf_counter() - start < 3
    assert result.num_tied_queries == 333


def test_reranking_counts_ties_and_refuses_a_mean_over_orders():
    feats = np.eye(4)[[0, 1, 2, 2, 2, 3]]
    pids = [1, 2, 3, 1, 2, 2]
    cases = {'k1': 2, 'k2': 1, 'block_size': 2}
    result = evaluate_reranking(feats[:2], feats[2:], pids[:2], pids[2:], **cases)
    assert result.tied_queries.tolist() == [0, 1]
    assert list_ties(result)['tied'].startswith('2 (R1 ')
    with pytest.raises(ValueError, match="set ties='order'"):
        RetrievalMetric('i2i', ties='expected', rerank={})


def test_unknown_ties_are_refused():
    with pytest.raises(ValueError, match="Unknown ties 'mean': expected one of"):
        evaluate_distances(np.zeros((1, 1)), [1], [1], ties='mean')


def test_the_table_says_what_ties_mean():
    row = {'mAP': 50.0, 'queries': '9', 'tied': '9 (R1 0.00 to 100.00)'}
    rows = {
        'a': row,
        'b': {'mAP': 60.0, 'queries': '9'},
        'c': {**row, 'ties': 'expected'},
    }
    text = format_table(rows, 'title')
    assert ' tied ' in text.splitlines()[2]
    lines = text.splitlines()
    after = ' '.join(lines[lines.index(lines[-1]) - 4 :])
    assert 'Scores of a depend on the order of the gallery' in after
    assert 'Scores of c are means over the orders' in after
    assert max(map(len, lines)) <= 100
    assert 'tied' not in format_table({'b': rows['b']}, 'title')

"""What lies behind scores, against plain loops over all items."""

import itertools
import math

import numpy as np
import pytest

from hplreid.evaluation import (
    FeatureSet,
    PerQueryScores,
    bootstrap_mean,
    evaluate_ranking,
)
from hplreid.evaluation.inspection import (
    GroupError,
    cmc_curve,
    drops_same_camera,
    find_confusions,
    precision_recall_curve,
    rank_features,
    score_attribute,
    score_camera_pairs,
    score_caption_lengths,
    suspect_items,
    suspect_pairs,
    worst_queries,
)
from hplreid.evaluation.statistics.curve_bootstrap import bootstrap_band


def make_features(seed=0, queries=40, gallery=90, people=8, cameras=3, noise=1.2):
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(people, 12))

    def side(size):
        pids = rng.integers(people, size=size)
        feats = centers[pids] + noise * rng.normal(size=(size, 12))
        return feats, pids, rng.integers(cameras, size=size)

    query, found = side(queries), side(gallery)
    found[1][:5] = -1  # junk
    return FeatureSet(
        *(query[0], found[0], query[1], found[1], query[2], found[2]),
        distance='cosine',
        same_camera='drop',
    )


def cosine(a, b):
    return float(a @ b / math.sqrt((a @ a) * (b @ b)))


def ranked_by_hand(features, gallery=None):
    """Yield each query and whether each counted item is a match, nearest first."""
    rows = range(len(features.gallery_pids)) if gallery is None else gallery
    for q, pid in enumerate(features.query_pids):
        counted = [
            g
            for g in rows
            if features.gallery_pids[g] != -1
            and not (
                features.gallery_pids[g] == pid
                and features.gallery_camids[g] == features.query_camids[q]
            )
        ]
        scores = {
            g: cosine(features.query_feats[q], features.gallery_feats[g])
            for g in counted
        }
        order = sorted(counted, key=lambda g: -scores[g])
        yield q, order, [features.gallery_pids[g] == pid for g in order], scores


def ap_by_hand(hits):
    ranks = [rank for rank, hit in enumerate(hits, 1) if hit]
    return 100 * sum(n / rank for n, rank in enumerate(ranks, 1)) / len(ranks)


def test_worst_queries_have_the_lowest_ap():
    features = make_features()
    by_hand = {
        q: ap_by_hand(hits) for q, _, hits, _ in ranked_by_hand(features) if any(hits)
    }
    worst = worst_queries(rank_features(features), 7)
    assert [by_hand[q] for q in worst] == pytest.approx(sorted(by_hand.values())[:7])
    every = worst_queries(rank_features(features), 1000)
    assert len(every) == len(by_hand)


def test_the_protocol_is_that_of_the_file():
    features = make_features()
    assert drops_same_camera(features)
    plain = FeatureSet(
        features.query_feats,
        features.gallery_feats,
        features.query_pids,
        features.gallery_pids,
    )
    assert not drops_same_camera(plain)


def test_confusions_are_those_of_a_loop():
    features = make_features()
    expected = {}
    totals = {}
    for q, order, hits, scores in ranked_by_hand(features):
        if not any(hits):
            continue
        pid = int(features.query_pids[q])
        totals[pid] = totals.get(pid, 0) + 1
        if not hits[0]:
            other = int(features.gallery_pids[order[0]])
            match = order[hits.index(True)]
            margin = scores[order[0]] - scores[match]
            expected.setdefault((pid, other), []).append((margin, q, order[0], match))
    found = find_confusions(features)
    assert len(found) == len(expected) > 5
    assert [c.count for c in found] == sorted((c.count for c in found), reverse=True)
    for confusion in found:
        cases = expected[confusion.pid, confusion.other]
        assert confusion.count == len(cases)
        assert confusion.total == totals[confusion.pid]
        margin, *places = max(cases)
        assert confusion.margin == pytest.approx(margin, abs=1e-6)
        assert [confusion.query, confusion.rival, confusion.match] == places


def test_camera_pairs_are_those_of_a_loop():
    features = make_features()
    rows, columns, scores, counts = score_camera_pairs(features)
    for (a, one), (b, other) in itertools.product(enumerate(rows), enumerate(columns)):
        gallery = np.flatnonzero(features.gallery_camids == other)
        aps = [
            ap_by_hand(hits)
            for q, _, hits, _ in ranked_by_hand(features, gallery)
            if features.query_camids[q] == one and any(hits)
        ]
        assert counts[a, b] == len(aps)
        if aps:
            assert scores[a, b] == pytest.approx(np.mean(aps))
        else:
            assert one == other
            assert np.isnan(scores[a, b])


def test_without_cameras_there_are_no_pairs():
    features = make_features()
    plain = FeatureSet(
        features.query_feats,
        features.gallery_feats,
        features.query_pids,
        features.gallery_pids,
    )
    with pytest.raises(ValueError, match='no cameras to compare'):
        score_camera_pairs(plain)


def test_caption_lengths_cover_every_query_once():
    rng = np.random.default_rng(1)
    lengths = rng.integers(1, 30, 200)
    captions = [' '.join(['word'] * n) for n in lengths]
    ap = rng.uniform(0, 100, 200)
    ap[::17] = np.nan
    groups = score_caption_lengths(captions, ap, np.arange(200) // 2)
    assert len(groups) == 4
    assert sum(group.count for group in groups) == (~np.isnan(ap)).sum()
    for group in groups:
        first, last = map(int, group.name.replace(' words', '').split(' to '))
        chosen = (lengths >= first) & (lengths <= last) & ~np.isnan(ap)
        assert group.mean == pytest.approx(ap[chosen].mean())
        assert group.low < group.mean < group.high
    (only,) = score_caption_lengths(['a b'] * 3, np.array([1.0, 2, 3]), np.arange(3))
    assert (only.name, only.mean) == ('2 words', 2.0)


def test_precision_and_recall_are_those_of_a_loop():
    features = make_features()
    curve = precision_recall_curve(features, num_points=11)
    expected = []
    for _, _, hits, _ in ranked_by_hand(features):
        if not any(hits):
            continue
        points = [
            (sum(hits[:k]) / sum(hits), sum(hits[:k]) / k)
            for k in range(1, len(hits) + 1)
        ]
        expected.append(
            [
                max(p for r, p in points if r >= level - 1e-9)
                for level in np.linspace(0, 1, 11)
            ]
        )
    np.testing.assert_allclose(curve.mean, 100 * np.mean(expected, axis=0))
    assert (np.diff(curve.mean) <= 1e-9).all()
    assert (curve.low <= curve.mean).all()
    assert (curve.mean <= curve.high).all()


def test_cmc_is_that_of_the_ranking():
    ranking = rank_features(make_features())
    names = np.array([str(i) for i in range(len(ranking.ap))])
    pids = make_features().query_pids
    scores = PerQueryScores(ranking.ap, ranking.inp, ranking.first_hit, pids, names, {})
    curve = cmc_curve(scores, top=10)
    np.testing.assert_allclose(
        curve.mean[[0, 4, 9]], [ranking.rank_k(k) for k in (1, 5, 10)]
    )


def test_band_agrees_with_the_interval_of_a_mean():
    rng = np.random.default_rng(2)
    groups = rng.integers(30, size=300)
    values = rng.uniform(0, 100, (300, 2)) + 3 * groups[:, None]
    low, high = bootstrap_band(values, groups, num_resamples=9999)
    for column in range(2):
        interval = bootstrap_mean(values[:, column], groups)
        width = interval.high - interval.low
        assert low[column] == pytest.approx(interval.low, abs=0.05 * width)
        assert high[column] == pytest.approx(interval.high, abs=0.05 * width)
    with pytest.raises(ValueError, match='two identities'):
        bootstrap_band(values, np.zeros(300))
    with pytest.raises(ValueError, match=r'\(Q, K\)'):
        bootstrap_band(values[:, 0], groups)


def clustered(seed=0, people=12, each=6, noise=0.4):
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(people, 16))
    pids = np.repeat(np.arange(people), each)
    return centers[pids] + noise * rng.normal(size=(len(pids), 16)), pids


def test_a_split_identity_is_the_first_suspect():
    feats, pids = clustered()
    assert suspect_pairs(feats, pids) == []
    split = pids.copy()
    split[np.flatnonzero(pids == 4)[:3]] = 99
    first, *_ = suspect_pairs(feats, split)
    assert first.pids == (4, 99)
    left, right = np.flatnonzero(split == 4), np.flatnonzero(split == 99)
    between = [cosine(feats[a], feats[b]) for a in left for b in right]
    assert first.between == pytest.approx(np.mean(between))
    within = [
        np.mean([cosine(feats[a], feats[b]) for a, b in itertools.combinations(own, 2)])
        for own in (left, right)
    ]
    assert first.within == pytest.approx(np.mean(within))
    assert cosine(*feats[list(first.items)]) == pytest.approx(max(between))


def test_exchanged_labels_are_the_first_suspects():
    feats, pids = clustered()
    assert suspect_items(feats, pids) == []
    wrong = pids.copy()
    wrong[[0, 20]] = pids[[20, 0]]
    wrong[40] = -1  # junk isn't judged
    found = suspect_items(feats, wrong)
    assert {(s.item, s.pid, s.other) for s in found[:2]} == {
        (0, pids[20], pids[0]),
        (20, pids[0], pids[20]),
    }
    for suspect in found[:2]:
        own = np.flatnonzero(
            (wrong == suspect.pid) & (np.arange(len(pids)) != suspect.item)
        )
        theirs = np.flatnonzero(wrong == suspect.other)
        for rows, mean in ((own, suspect.own), (theirs, suspect.theirs)):
            loop = np.mean([cosine(feats[suspect.item], feats[r]) for r in rows])
            assert mean == pytest.approx(loop)


def test_scores_by_attribute_are_means_of_their_queries():
    rng = np.random.default_rng(3)
    pids = np.arange(40) % 8
    ranking = evaluate_ranking(
        rng.normal(size=(40, 4)), rng.normal(size=(50, 4)), pids, np.arange(50) % 8
    )
    values = [('10 cm', '9 cm', 'wide')[n % 3] for n in range(40)]
    found = score_attribute('width', values, ranking, pids)
    assert [group.name for group in found.mean_ap] == ['9 cm', '10 cm', 'wide']
    for ap, hit in zip(found.mean_ap, found.rank_1, strict=True):
        own = [n for n in range(40) if values[n] == ap.name]
        assert ap.count == hit.count == len(own)
        assert ap.mean == pytest.approx(sum(ranking.ap[n] for n in own) / len(own))
        hits = sum(ranking.first_hit[n] == 1 for n in own)
        assert hit.mean == pytest.approx(100 * hits / len(own))
        assert ap.low < ap.mean < ap.high


def test_numbers_become_groups_of_about_the_same_size():
    pids = np.arange(40) % 8
    eye = np.eye(8)[pids]
    ranking = evaluate_ranking(eye, eye, pids, pids)
    numbers = [str(n - 20.5) for n in range(39)]
    found = score_attribute('x', [*numbers, 'unknown'], ranking, pids).rank_1
    assert [group.count for group in found] == [10, 10, 10, 9, 1]
    assert [group.name for group in found][::4] == ['-20.5 to -11.5', 'unknown']
    few = score_attribute('x', [str(n % 3) for n in range(40)], ranking, pids).rank_1
    assert [group.name for group in few] == ['0', '1', '2']
    with pytest.raises(GroupError, match='has 40 different values'):
        score_attribute('x', [f'{n} x' for n in range(40)], ranking, pids)

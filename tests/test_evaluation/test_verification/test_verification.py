"""Scores of pairs against explicit loops and scikit-learn."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sklearn.metrics import roc_auc_score, roc_curve

from hplreid.evaluation import open_set_report, verification_report
from hplreid.visualization import draw_verification

FARS = (0.5, 0.1, 0.01, 1e-4)


def make_case(seed, small=False, noise=1.2):
    """Features, identities and cameras; on a grid, so that scores tie."""
    rng = np.random.default_rng(seed)
    queries, gallery = rng.integers(2, 10, 2) if small else (60, 150)
    ids = [rng.integers(0, 4 if small else 12, n) for n in (queries, gallery)]
    ids[1][rng.random(gallery) < 0.1] = -1
    ids[0][0] = ids[1][0] = 1
    cameras = [rng.integers(0, 3, n) for n in (queries, gallery)]
    cameras[0][0], cameras[1][0] = 0, 1
    centers = rng.normal(size=(13, 6))
    feats = [
        np.round(
            centers[own] + noise * rng.normal(size=(len(own), 6)), 0 if small else 9
        )
        for own in ids
    ]
    for side in feats:  # no vector without a direction
        side[:, 0] += 0.5
    return [*feats, *ids, *cameras]


def slow_pairs(q, g, q_pids, g_pids, q_cams=None, g_cams=None, distance='cosine'):
    """Similarity and kinship of each pair that counts, one pair at a time."""
    scores, same = [], []
    for i in range(len(q)):
        for j in range(len(g)):
            kin = q_pids[i] == g_pids[j]
            left_out = kin and q_cams is not None and q_cams[i] == g_cams[j]
            if g_pids[j] == -1 or left_out:
                continue
            if distance == 'cosine':
                norms = np.linalg.norm(q[i]) * np.linalg.norm(g[j])
                scores.append(q[i] @ g[j] / norms)
            else:
                square = ((q[i] - g[j]) ** 2).sum()
                scores.append(-np.sqrt(square) if distance == 'euclidean' else -square)
            same.append(kin)
    # Scores that differ in the last bits alone are ties in exact arithmetic
    return np.round(scores, 9), np.array(same)


def slow_eer(far, tar):
    """Where straight lines between the points of a curve cross FAR = 1 - TAR."""
    for k in range(1, len(far)):
        if far[k] + tar[k] >= 1:
            before, after = far[k - 1] + tar[k - 1] - 1, far[k] + tar[k] - 1
            share = -before / (after - before)
            return far[k - 1] + share * (far[k] - far[k - 1])
    raise AssertionError('the curve never crosses')


def check(report, scores, same):
    """Compare a report with what follows from the list of all pairs."""
    sign = 1 if report.distance == 'cosine' else -1
    far, tar, thresholds = roc_curve(same, scores, drop_intermediate=False)
    assert report.num_genuine == same.sum()
    assert report.num_impostor == (~same).sum()
    assert report.auc == pytest.approx(100 * roc_auc_score(same, scores), abs=1e-9)
    assert report.eer == pytest.approx(100 * slow_eer(far, tar), abs=1e-9)
    for k, limit in enumerate(report.fars):
        best = max(t for f, t in zip(far, tar, strict=True) if f <= limit)
        assert report.tars[k] == pytest.approx(100 * best, abs=1e-9)
        if best == 0:
            assert np.isnan(report.thresholds[k])
            continue
        accepted = scores >= sign * report.thresholds[k] - 1e-7
        assert accepted[same].mean() == pytest.approx(best)
        assert accepted[~same].mean() == pytest.approx(report.actual_fars[k])
        # Strictest: just above it a genuine pair is lost
        stricter = scores >= sign * report.thresholds[k] + 1e-7
        assert stricter[same].mean() < best
    assert np.isin(np.round(sign * report.eer_threshold, 6), np.round(scores[same], 6))
    # The curve is scikit-learn's at the genuine scores
    levels = np.unique(scores[same])[::-1]
    rows = [np.flatnonzero(thresholds == level)[0] for level in levels]
    np.testing.assert_allclose(report.roc[:, 0], far[rows], atol=1e-12)
    np.testing.assert_allclose(report.roc[:, 1], 100 * tar[rows], atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    cameras=st.booleans(),
    distance=st.sampled_from(['cosine', 'euclidean', 'sqeuclidean']),
    block_size=st.integers(1, 12),
)
def test_every_number_equals_the_list_of_all_pairs(seed, cameras, distance, block_size):
    case = make_case(seed, small=True)[: 6 if cameras else 4]
    # On the sphere and the grid alike products are rounded: ties need exact numbers
    if distance == 'cosine':
        case[:2] = [np.where(side > 0.5, 1.0, -1.0)[:, :4] for side in case[:2]]
    scores, same = slow_pairs(*case, distance=distance)
    if same.all():
        with pytest.raises(ValueError, match='no impostor pair'):
            verification_report(*case, distance=distance)
        return
    report = verification_report(
        *case, distance=distance, fars=FARS, block_size=block_size
    )
    check(report, scores, same)


@pytest.mark.parametrize('distance', ['cosine', 'euclidean', 'sqeuclidean'])
@pytest.mark.parametrize('threads', [1, 3])
def test_real_scores(distance, threads):
    before = torch.get_num_threads()
    case = make_case(3)
    scores, same = slow_pairs(*case, distance=distance)
    torch.set_num_threads(threads)
    try:
        report = verification_report(*case, distance=distance, block_size=7)
    finally:
        torch.set_num_threads(before)
    check(report, scores, same)
    assert 5 < report.eer < 45
    shown = np.abs(scores) if distance != 'cosine' else scores
    edges = report.bin_edges + np.eye(201)[-1] * 1e-6  # `shown` is rounded
    for found, kind in ((report.genuine_counts, same), (report.impostor_counts, ~same)):
        np.testing.assert_array_equal(found, np.histogram(shown[kind], edges)[0])
    assert report.scores()['TAR@FAR=1e-01'] == report.tars[0]


@pytest.mark.parametrize('dtype', [torch.float16, torch.float32])
def test_types_and_block_sizes_agree(dtype):
    case = make_case(5)
    case[:2] = [torch.tensor(side, dtype=dtype) for side in case[:2]]
    reports = [verification_report(*case, block_size=size) for size in (1, 11, 1000)]
    for report in reports[1:]:
        assert report.auc == pytest.approx(reports[0].auc, abs=1e-3)
        assert report.eer == pytest.approx(reports[0].eer, abs=0.05)
    exact = verification_report(*[c.double() for c in case[:2]], *case[2:])
    assert reports[0].auc == pytest.approx(exact.auc, abs=1e-3)


def test_worked_by_hand():
    """Similarities: genuine 1.0, 0.8; impostor 0.6, 0.8, 0, 0 - one tie."""
    turn = np.array([[1, 0], [0.8, 0.6], [0.6, 0.8], [0, 1.0]])
    report = verification_report(
        turn[:1], turn[[0, 1, 2, 1, 3, 3]], [1], [1, 1, 2, 3, 4, 5], fars=(0.2, 0.25, 0)
    )
    # 8 couples: 1.0 beats 4; 0.8 beats 3 and ties with 1
    assert report.auc == pytest.approx(100 * 7.5 / 8)
    # At 1.0: FAR 0, TAR 50; at 0.8: FAR 1/4, TAR 100. The line between crosses
    # FAR = 1 - TAR where FAR = 0.5 - 2 FAR
    assert report.eer == pytest.approx(100 / 6)
    assert report.eer_threshold == pytest.approx(0.8)
    np.testing.assert_allclose(report.tars, [50, 100, 50])
    np.testing.assert_allclose(report.thresholds, [1, 0.8, 1])
    np.testing.assert_allclose(report.actual_fars, [0, 0.25, 0])
    np.testing.assert_allclose(report.roc, [[0, 50], [0.25, 100]])


def test_no_threshold_where_an_impostor_is_nearest():
    report = verification_report(
        np.eye(2)[:1], np.eye(2)[[0, 1, 1]], [1], [2, 1, 3], fars=(0.1, 1)
    )
    assert report.tars.tolist() == [0, 100]
    assert np.isnan(report.thresholds[0])
    assert report.actual_fars.tolist() == [0, 1]


@pytest.mark.parametrize('distance', ['cosine', 'euclidean'])
def test_drawing(distance, tmp_path):
    report = verification_report(*make_case(0), distance=distance)
    draw_verification(report, tmp_path / 'a' / 'plot.png', 'a title')
    with Image.open(tmp_path / 'a' / 'plot.png') as image:
        assert image.size == (1950, 600)
        colors = len(image.convert('RGB').getcolors(2**20))
    assert colors > 100
    assert [p.name for p in (tmp_path / 'a').iterdir()] == ['plot.png']


def slow_open_set(near, case, threshold, rank):
    """FPIR and FNIR at a threshold, one search at a time."""
    _, _, q_pids, g_pids, q_cams, g_cams = (list(part) for part in case)
    false, missed, mated, nonmated = 0, 0, 0, 0
    for i, row in enumerate(near.tolist()):
        listed = []
        for j, value in enumerate(row):
            kin = q_pids[i] == g_pids[j]
            if g_pids[j] != -1 and not (kin and q_cams[i] == g_cams[j]):
                listed.append((value, kin))
        listed.sort(reverse=True)
        places = [n for n, (_, kin) in enumerate(listed) if kin]
        if not places:
            nonmated += 1
            false += bool(listed) and listed[0][0] >= threshold
            continue
        mated += 1
        found = listed[places[0]][0] >= threshold
        missed += not (found and (rank is None or places[0] < rank))
    return false / nonmated, 100 * missed / mated, mated, nonmated


@pytest.mark.parametrize('distance', ['cosine', 'sqeuclidean'])
@pytest.mark.parametrize('rank', [None, 1, 3])
def test_open_set_equals_explicit_searches(distance, rank):
    case = make_case(11, noise=0.4)
    present = np.isin(np.arange(13), [1, 2, 5, 6, 7])
    case[3] = np.where(present[case[3]] | (case[3] == -1), case[3], 100)
    report = open_set_report(
        *case, distance=distance, rank=rank, fpirs=(0.5, 0.3, 0.1), block_size=13
    )
    sign, near = 1, -((case[0][:, None] - case[1][None]) ** 2).sum(-1)
    if distance == 'cosine':
        q, g = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in case[:2])
        near = q @ g.T
    else:
        sign = -1
    for k, limit in enumerate(report.fpirs):
        threshold = sign * report.thresholds[k]
        fpir, fnir, *counts = slow_open_set(near, case, threshold - 1e-9, rank)
        assert counts == [report.num_mated, report.num_nonmated]
        assert fpir == pytest.approx(report.actual_fpirs[k])
        assert fpir <= limit
        assert fnir == pytest.approx(report.fnirs[k])
        _, stricter, *_ = slow_open_set(near, case, threshold + 1e-9, rank)
        assert stricter > fnir
    # No threshold within a limit finds more
    for threshold in np.quantile(near, np.linspace(0.6, 1, 40)):
        fpir, fnir, *_ = slow_open_set(near, case, threshold, rank)
        for k, limit in enumerate(report.fpirs):
            assert fpir > limit or fnir >= report.fnirs[k] - 1e-9
    assert 0 < report.fnirs[0] < 100


def test_people_are_taken_out_by_a_seed():
    case = make_case(2)
    case[3][case[3] == -1] = 0
    everyone = len(np.intersect1d(case[2], case[3]))
    reports = [open_set_report(*case, absent=0.5, seed=s) for s in (0, 0, 1)]
    np.testing.assert_array_equal(reports[0].fnirs, reports[1].fnirs)
    assert reports[0].fnirs.tolist() != reports[2].fnirs.tolist()
    assert everyone == 12
    gone = reports[0].num_nonmated / len(case[2])
    assert 0.25 < gone < 0.75


@pytest.mark.parametrize(
    ('function', 'changed', 'message'),
    [
        (verification_report, {'fars': (2,)}, 'fars must be shares from 0 to 1'),
        (verification_report, {'distance': 'l1'}, "Unknown distance 'l1'"),
        (verification_report, {'block_size': 0}, 'block_size must be at least 1'),
        (open_set_report, {'rank': 0}, 'rank must be at least 1, or None; got 0'),
        (open_set_report, {'absent': 1.0}, 'absent must be a share from 0 up to 1'),
        (open_set_report, {'fpirs': ()}, 'fpirs must be shares'),
    ],
)
def test_wrong_options_are_named(function, changed, message):
    with pytest.raises(ValueError, match=message):
        function(*make_case(0), **changed)


def test_wrong_data_are_named():
    eye = np.eye(3)
    with pytest.raises(ValueError, match=r'are \(3, 2\), but 3 query and 3 gallery'):
        verification_report(eye, eye[:2], [1, 2, 3], [1, 2, 3])
    with pytest.raises(ValueError, match='None of the 3 queries has a match'):
        verification_report(eye, eye, [1, 2, 3], [4, 5, 6])
    with pytest.raises(ValueError, match='there is no impostor pair'):
        verification_report(eye, eye, [1, 1, 1], [1, 1, 1])
    with pytest.raises(ValueError, match='3 of 3 queries have a match'):
        open_set_report(eye, eye, [1, 2, 3], [1, 2, 3])
    with pytest.raises(ValueError, match='0 of 3 queries have a match'):
        open_set_report(eye, eye, [1, 2, 3], [4, 5, 6])

"""The ranking functions against explicit loops, scikit-learn and hand arithmetic."""

import tracemalloc
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import average_precision_score

from hplreid.evaluation import evaluate_distances, evaluate_ranking
from hplreid.evaluation.ranking.tile_counts import count_below
from hplreid.evaluation.threads import parallel_map
from tests.test_evaluation.cases import assert_same, random_case

DEVICES = ['cpu', pytest.param('cuda', marks=pytest.mark.gpu)]


def slow_scores(distances, q_pids, g_pids, q_cams=None, g_cams=None):
    """AP, INP (percent) and first hit of each query, one item at a time."""
    ap, inp, first = [], [], []
    for i, row in enumerate(distances):
        hits, rank = [], 0
        for j in sorted(range(len(row)), key=lambda j, row=row: (row[j], j)):
            if g_pids[j] == -1:
                continue
            same = g_pids[j] == q_pids[i]
            if same and q_cams is not None and g_cams[j] == q_cams[i]:
                continue
            rank += 1
            if same:
                hits.append(rank)
        precisions = [(n + 1) / hit for n, hit in enumerate(hits)]
        ap.append(100 * sum(precisions) / len(hits) if hits else np.nan)
        inp.append(100 * len(hits) / hits[-1] if hits else np.nan)
        first.append(hits[0] if hits else 0)
    return np.array(ap), np.array(inp), np.array(first)


def assert_equals_slow(result, slow):
    ap, inp, first = slow
    valid = first > 0
    np.testing.assert_allclose(result.ap, ap, rtol=0, atol=1e-9)
    np.testing.assert_allclose(result.inp, inp, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(result.first_hit, first)
    np.testing.assert_array_equal(result.skipped_queries, np.flatnonzero(~valid))
    assert result.num_valid_queries == valid.sum()
    assert result.num_skipped_queries == (~valid).sum()
    assert result.mean_ap == pytest.approx(ap[valid].mean(), abs=1e-9)
    assert result.mean_inp == pytest.approx(inp[valid].mean(), abs=1e-9)
    for k, value in enumerate(result.cmc, start=1):
        assert value == pytest.approx(100 * (first[valid] <= k).mean(), abs=1e-9)
    assert result.r1 == pytest.approx(100 * (first[valid] <= 1).mean(), abs=1e-9)
    assert result.r5 == pytest.approx(100 * (first[valid] <= 5).mean(), abs=1e-9)
    assert result.r10 == pytest.approx(100 * (first[valid] <= 10).mean(), abs=1e-9)


def random_ids(rng, queries, gallery, cameras):
    ids = [rng.integers(0, 5, queries), rng.integers(-1, 4, gallery)]
    if cameras:
        ids += [rng.integers(0, 3, queries), rng.integers(0, 3, gallery)]
    return ids


@pytest.mark.parametrize('cameras', [False, True])
@pytest.mark.parametrize('dtype', [np.float16, np.float32, np.float64, np.int64])
@pytest.mark.parametrize('device', DEVICES)
def test_distances_equal_slow_loops(cameras, dtype, device):
    """Few different distances, so that ties are everywhere."""
    rng = np.random.default_rng([cameras, np.dtype(dtype).itemsize])
    scored = 0
    for _ in range(80):
        queries, gallery = rng.integers(1, 12), rng.integers(1, 25)
        ids = random_ids(rng, queries, gallery, cameras)
        distances = rng.integers(0, rng.integers(2, 40), (queries, gallery))
        slow = slow_scores(distances, *ids)
        given = torch.from_numpy(distances.astype(dtype)).to(device)
        before = given.clone()
        block_size = int(rng.integers(1, 14))
        if not slow[2].any():
            with pytest.raises(ValueError, match='has a match|Nothing to rank'):
                evaluate_distances(given, *ids, block_size=block_size)
            continue
        assert_equals_slow(evaluate_distances(given, *ids, block_size=block_size), slow)
        assert torch.equal(given, before)  # the caller's matrix is not written to
        scored += 1
    assert scored > 40


@pytest.mark.parametrize('distance', ['cosine', 'euclidean', 'sqeuclidean'])
@pytest.mark.parametrize('dtype', [torch.float16, torch.float32, torch.float64])
@pytest.mark.parametrize('device', DEVICES)
def test_features_equal_slow_loops(distance, dtype, device):
    """Features of four +-1: products are exact in every type, and ties abound."""
    rng = np.random.default_rng(list(distance.encode()))
    for case in range(30):
        queries, gallery = rng.integers(2, 12), rng.integers(5, 25)
        ids = random_ids(rng, queries, gallery, cameras=case % 2)
        ids[1][0], ids[0][0] = 1, 1  # one match at least
        if len(ids) == 4:
            ids[2][0], ids[3][0] = 0, 1
        q, g = rng.choice([-1.0, 1.0], (queries, 4)), rng.choice([-1, 1], (gallery, 4))
        if distance == 'cosine':
            expected = 1 - q @ g.T / 4
        else:
            g = g * rng.integers(1, 3, (gallery, 1))
            expected = ((q[:, None] - g[None]) ** 2).sum(-1)
        result = evaluate_ranking(
            torch.tensor(q, dtype=dtype, device=device),
            torch.tensor(g, dtype=dtype, device=device),
            *ids,
            distance=distance,
            block_size=int(rng.integers(1, 14)),
        )
        assert_equals_slow(result, slow_scores(expected, *ids))


class TestHypothesis:
    """Hundreds of cases that a machine thought of; few values, so that ties abound."""

    @staticmethod
    def check(evaluate, distances, ids):
        slow = slow_scores(distances, *ids)
        if slow[2].any():
            assert_equals_slow(evaluate(*ids), slow)
        else:
            with pytest.raises(ValueError, match='has a match|Nothing to rank'):
                evaluate(*ids)

    @settings(max_examples=200, deadline=None)
    @given(st.data())
    def test_distances(self, data):
        queries, gallery = data.draw(st.integers(1, 8)), data.draw(st.integers(1, 30))
        numbers = np.float32([-1.5, -0.0, 0.0, 1e-45, 0.25, 1.0, 3e38])
        values = st.sampled_from(numbers.tolist())
        shape = queries, gallery
        distances = data.draw(arrays(np.float32, shape, elements=values))
        self.check(
            lambda *ids: evaluate_distances(
                distances, *ids, block_size=data.draw(st.integers(1, 9))
            ),
            distances,
            self.ids(data, queries, gallery),
        )

    @settings(max_examples=200, deadline=None)
    @given(st.data())
    def test_features(self, data):
        """Whole numbers: products are exact, and copies of an image are many."""
        queries, gallery = data.draw(st.integers(1, 8)), data.draw(st.integers(1, 30))
        dtype = data.draw(st.sampled_from([np.float16, np.float32, np.float64]))
        numbers = st.integers(-3, 3)
        q = data.draw(arrays(np.int64, (queries, 2), elements=numbers))
        g = data.draw(arrays(np.int64, (gallery, 2), elements=numbers))
        self.check(
            lambda *ids: evaluate_ranking(
                q.astype(dtype),
                g.astype(dtype),
                *ids,
                distance='sqeuclidean',
                block_size=data.draw(st.integers(1, 9)),
                gallery_block_size=data.draw(st.integers(1, 31)),
            ),
            ((q[:, None] - g[None]) ** 2).sum(-1),
            self.ids(data, queries, gallery),
        )

    @staticmethod
    def ids(data, queries, gallery):
        few = st.integers(-1, 2)
        ids = [data.draw(arrays(np.int64, n, elements=few)) for n in (queries, gallery)]
        if data.draw(st.booleans()):
            ids += [
                data.draw(arrays(np.int64, n, elements=few)) for n in (queries, gallery)
            ]
        return ids


@pytest.mark.parametrize('distance', ['cosine', 'euclidean'])
@pytest.mark.parametrize('dtype', [np.float16, np.float32, np.float64])
@pytest.mark.parametrize('device', DEVICES)
def test_blocks_change_nothing_at_all(distance, dtype, device):
    """Not even the last bit: and blocks of a few round like whole ones."""
    case = random_case(150, 2200, 65, dtype)
    feats = [torch.from_numpy(f).to(device) for f in case[:2]]
    expected = evaluate_ranking(*feats, *case[2:], distance=distance)
    for sizes in ((3, 2200), (7, 1500), (64, 100), (2048, 1009), (150, 11)):
        if device != 'cpu' and sizes[0] != 2048:
            continue  # a GPU sums in another order for another shape
        if 3 in sizes and dtype != np.float32:
            continue  # slow, and nothing new
        result = evaluate_ranking(
            *feats,
            *case[2:],
            distance=distance,
            block_size=sizes[0],
            gallery_block_size=sizes[1],
        )
        assert_same(result, expected)


def test_copies_of_a_image_tie_wherever_they_are():
    """One is right, the others are wrong; the rank tells how many come earlier."""
    rng = np.random.default_rng(0)
    gallery = 2 * rng.normal(size=(5000, 129)).astype(np.float32)
    query = rng.normal(size=(3, 129)).astype(np.float32)
    copies = [0, 15, 16, 2015, 2016, 2100, 3333, 4999]
    gallery[copies] = query[0] + 0.01 * gallery[0]
    for distance in ('cosine', 'euclidean'):
        for place, right in enumerate(copies):
            pids = np.ones(len(gallery), int)
            pids[right] = 7
            result = evaluate_ranking(
                query, gallery, [7, 8, 9], pids, distance=distance, block_size=2
            )
            assert result.first_hit.tolist() == [place + 1, 0, 0]


def test_a_collapsed_model_takes_no_more_memory():
    """Every pair ties with every match; ranks are places in the gallery."""
    pids = np.arange(4000) % 100
    tracemalloc.start()
    result = evaluate_ranking(np.ones((50, 8)), np.ones((4000, 8)), pids[:50], pids)
    memory = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert result.first_hit.tolist() == list(range(1, 51))
    assert memory < 150e6  # 50 x 4,000 x 40 pairs of a value and a match are 192 MB


def test_a_memory_mapped_gallery_is_read_block_by_block(tmp_path):
    q, g, *ids = random_case(30, 3000, 33, np.float16)
    np.save(tmp_path / 'gallery.npy', g)
    mapped = np.load(tmp_path / 'gallery.npy', mmap_mode='r')
    with warnings.catch_warnings():
        warnings.simplefilter('error')  # of torch: the array isn't writable
        result = evaluate_ranking(q, mapped, *ids, gallery_block_size=700)
    assert_same(result, evaluate_ranking(q, g, *ids))


def test_memory_is_a_block_whatever_the_gallery(tmp_path):
    """A gallery of 64 MB; NumPy's share of the memory is a few blocks of 0.5 MB."""
    shape = 250_000, 64
    gallery = np.lib.format.open_memmap(tmp_path / 'g.npy', 'w+', np.float32, shape)
    gallery[:, 0], gallery[::2, 1] = 1, 1
    query = np.eye(20, 64, dtype=np.float32) + np.eye(20, 64, 1, dtype=np.float32)
    pids = np.arange(len(gallery)) % 50_000
    tracemalloc.start()
    result = evaluate_ranking(query, gallery, np.arange(20), pids)
    memory = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert result.num_gallery == 250_000
    assert memory < 40e6  # ids take 8 MB, and their order as much again


def test_threads_change_nothing(monkeypatch):
    """The pool starts for large galleries only; here it does for a small one."""
    case = random_case(500, 3000, 64)
    expected = evaluate_ranking(*case)
    before = torch.get_num_threads()
    monkeypatch.setattr('hplreid.evaluation.threads._WORTH_A_THREAD', 1)
    for number in (2, 5):
        torch.set_num_threads(number)
        try:
            assert_same(evaluate_ranking(*case), expected)
            assert torch.get_num_threads() == number
        finally:
            torch.set_num_threads(before)


def test_each_thread_of_the_pool_multiplies_on_one_core():
    before = torch.get_num_threads()
    with parallel_map(3) as run:
        assert list(run(lambda _: torch.get_num_threads(), range(9))) == [1] * 9
        assert torch.get_num_threads() == before
    assert np.getbufsize() == 8192


@pytest.mark.parametrize('distance', ['cosine', 'euclidean'])
def test_real_features_at_any_block_size(distance):
    """A match never counts itself: its threshold is of the block it is in."""
    rng = np.random.default_rng(0)
    q_pids, g_pids = rng.integers(0, 40, 200), rng.integers(-1, 40, 500)
    q_cams, g_cams = rng.integers(0, 6, 200), rng.integers(0, 6, 500)
    centers = rng.normal(size=(41, 257))
    q = centers[q_pids] + 3 * rng.normal(size=(200, 257))
    g = centers[g_pids] + 3 * rng.normal(size=(500, 257))
    if distance == 'cosine':
        exact = (
            -(q / np.linalg.norm(q, axis=1, keepdims=True))
            @ (g / np.linalg.norm(g, axis=1, keepdims=True)).T
        )
    else:
        exact = np.sqrt(((q[:, None] - g[None]) ** 2).sum(-1))
    slow = slow_scores(exact, q_pids, g_pids, q_cams, g_cams)
    for block_size in (1, 7, 64, 1000):
        for dtype in (np.float32, np.float64):
            result = evaluate_ranking(
                q.astype(dtype),
                g.astype(dtype),
                q_pids,
                g_pids,
                q_cams,
                g_cams,
                distance=distance,
                block_size=block_size,
            )
            assert result.mean_ap == pytest.approx(np.nanmean(slow[0]), abs=1e-3)
            if dtype == np.float64:
                assert_equals_slow(result, slow)
    assert 5 < result.mean_ap < 95  # the case tells good from bad


def test_average_precision_of_scikit_learn():
    """The definitions meet where distances differ and nothing is left out."""
    rng = np.random.default_rng(1)
    distances = rng.random((20, 60))
    q_pids, g_pids = np.arange(20) % 4, np.arange(60) % 4
    result = evaluate_distances(distances, q_pids, g_pids)
    expected = [
        100 * average_precision_score(g_pids == pid, -row)
        for pid, row in zip(q_pids, distances, strict=True)
    ]
    np.testing.assert_allclose(result.ap, expected, rtol=0, atol=1e-9)


def test_trapezoid_by_hand():
    """Hits at ranks 1, 3 and 4: steps 1, 2/3, 3/4; a rank earlier 1, 1/2, 2/3."""
    distances = np.array([[0.1, 0.2, 0.3, 0.4, 0.5]])
    pids = [7, 1, 7, 7, 2]
    step = evaluate_distances(distances, [7], pids)
    assert step.ap == pytest.approx([100 * (1 + 2 / 3 + 3 / 4) / 3])
    old = evaluate_distances(distances, [7], pids, ap='trapezoid')
    assert old.ap == pytest.approx(
        [100 * ((1 + 1) / 2 + (2 / 3 + 1 / 2) / 2 + (3 / 4 + 2 / 3) / 2) / 3]
    )
    assert (step.ap_definition, old.ap_definition) == ('step', 'trapezoid')
    # What else is known of the ranking doesn't depend on it
    assert old.inp == step.inp
    # The first hit at rank 2: the curve starts at precision 1, and has fallen to 0
    assert evaluate_distances(
        distances[:, :2], [7], [1, 7], ap='trapezoid'
    ).ap == pytest.approx([25])


def test_trapezoid_is_the_area_under_the_curve():
    """Walk down the list as the old programs do, item by item."""
    rng = np.random.default_rng(5)
    distances = rng.random((30, 80))
    q_pids, g_pids = rng.integers(0, 6, 30), rng.integers(0, 6, 80)
    result = evaluate_distances(distances, q_pids, g_pids, ap='trapezoid')
    for row, pid, found in zip(distances, q_pids, result.ap, strict=True):
        right = g_pids[np.argsort(row)] == pid
        area, hits, old_recall, old_precision = 0.0, 0, 0.0, 1.0
        for rank, hit in enumerate(right, start=1):
            hits += hit
            recall, precision = hits / right.sum(), hits / rank
            area += (recall - old_recall) * (old_precision + precision) / 2
            old_recall, old_precision = recall, precision
        assert found == pytest.approx(100 * area)


@pytest.mark.parametrize('width', [8, 64, 1008, 2016, 3000])
@pytest.mark.parametrize('device', DEVICES)
def test_counts_below_limits(device, width):
    """Many limits and few, matches everywhere and nowhere: every branch is taken."""
    rng = np.random.default_rng(width)
    for number in (1, 5, 8, 9, 40):
        for spread, margin in ((0.01, 0.1), (1, 0), (1, 1e-3), (100, 1e-6)):
            values = rng.normal(size=(70, width)).astype(np.float32)
            values[rng.random(values.shape) < 0.1] = np.inf
            limits = spread * rng.normal(size=(70, number)) - 1
            limits[rng.random(limits.shape) < 0.1] = -np.inf
            limits[:35, 0] = values[:35, 0].clip(max=1e9)  # equal isn't below
            limits = -np.sort(-limits, axis=1)
            margins = margin * rng.random((70, 1))
            wide, limit = values[:, :, None].astype(float), limits[:, None]
            below = wide < limit - margins[:, None]
            undecided = (wide <= limit + margins[:, None]) & ~below
            undecided &= np.isfinite(limit)
            more = np.zeros(undecided.shape, bool)

            def is_below(listed, more=more):
                assert not more[listed].any()  # each once
                more[listed] = True
                return np.zeros(len(listed.rows), bool)

            tile = torch.from_numpy(values.copy()).to(device)
            counts = count_below(tile, limits, margins, is_below)
            # A margin that float32 can't hold is rounded up: such values may be listed
            assert (more | below)[undecided | below].all()
            doubtful = more & ~undecided
            distance = np.abs(np.abs(wide - limit) - margins[:, None])
            assert (distance[doubtful] < 1e-5 * spread).all()
            np.testing.assert_array_equal(counts, (below & ~more).sum(1))


def test_worked_by_hand():
    """Three queries, six items: junk, an item of the query's camera, no match."""
    distances = np.array(
        [
            [0.1, 0.2, 0.3, 0.4, 0.5, 0.0],  # -, wrong, hit, wrong, hit, junk
            [0.5, 0.1, 0.2, 0.3, 0.4, 0.0],  # -, hit first, wrong...
            [0.1, 0.2, 0.3, 0.4, 0.5, 0.0],  # identity 9 is nowhere
        ]
    )
    result = evaluate_distances(
        distances, [1, 2, 9], [1, 2, 1, 3, 1, -1], [0, 0, 0], [0, 1, 1, 1, 2, 1]
    )
    # Query 0: item 0 is of its camera, so hits rank 2 and 4: AP (1/2 + 2/4) / 2.
    np.testing.assert_allclose(result.ap, [50, 100, np.nan])
    np.testing.assert_allclose(result.inp, [50, 100, np.nan])
    np.testing.assert_array_equal(result.first_hit, [2, 1, 0])
    assert (result.mean_ap, result.mean_inp) == (75, 75)
    np.testing.assert_allclose(result.cmc, [50, 100, 100, 100, 100])
    assert (result.r1, result.r5, result.r10) == (50, 100, 100)
    assert result.num_valid_queries == 2
    assert result.skipped_queries.tolist() == [2]
    assert result.num_gallery == 5


def test_cameras_leave_out_only_the_same_identity():
    """Another person under the query's camera does count."""
    distances = np.array([[0.1, 0.2]])
    result = evaluate_distances(distances, [1], [2, 1], [0], [0, 1])
    assert result.first_hit.tolist() == [2]


def test_ties_rank_in_the_order_of_the_gallery():
    distances = np.zeros((1, 4), dtype=np.float32)
    assert evaluate_distances(distances, [1], [2, 1, 2, 1]).ap == pytest.approx([50])
    # An item that is left out is no tie.
    result = evaluate_distances(distances, [1], [1, 1, 2, 2], [0], [0, 1, 0, 0])
    assert result.first_hit.tolist() == [1]


@pytest.mark.parametrize('gallery', [1, 5, 40])
def test_topk_is_clipped_to_the_gallery(gallery):
    distances = np.arange(gallery, dtype=np.float32)[None]
    pids = np.zeros(gallery, dtype=int)
    pids[-1] = 1
    result = evaluate_distances(distances, [1], pids, topk=(1, 10, 20))
    assert result.topk == tuple(dict.fromkeys(min(k, gallery) for k in (1, 10, 20)))
    assert len(result.cmc) == min(20, gallery)
    assert result.cmc[-1] == (100 if gallery <= 20 else 0)
    assert result.r10 == (100 if gallery <= 10 else 0)


def test_half_precision_products_are_computed_in_float32():
    """In float16 itself the squares overflow, and the two items would tie."""
    query = torch.tensor([[1, 1]], dtype=torch.float16)
    gallery = torch.tensor([[2048, 0], [2048, 1]], dtype=torch.float16)
    far = evaluate_ranking(query, gallery, [1], [0, 1], distance='euclidean')
    assert far.first_hit.tolist() == [1]  # 2047^2 against 2047^2 + 1


def test_reduced_precision_of_training_does_not_reach_the_product():
    case = random_case(60, 700, 64)
    expected = evaluate_ranking(*case)
    torch.set_float32_matmul_precision('medium')
    try:
        assert_same(evaluate_ranking(*case), expected)
        assert torch.get_float32_matmul_precision() == 'medium'
        assert torch.backends.mkldnn.enabled
    finally:
        torch.set_float32_matmul_precision('highest')


def test_an_outer_autocast_does_not_reach_the_product():
    rng = np.random.default_rng(2)
    args = (
        torch.from_numpy(rng.normal(size=(30, 64)).astype(np.float32)),
        torch.from_numpy(rng.normal(size=(300, 64)).astype(np.float32)),
        rng.integers(0, 20, 30),
        np.arange(300) % 20,
    )
    expected = evaluate_ranking(*args)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        result = evaluate_ranking(*args)
    np.testing.assert_array_equal(result.ap, expected.ap)


GOOD = {
    'query_feats': np.eye(2, 3, dtype=np.float32),
    'gallery_feats': np.eye(4, 3, dtype=np.float32) + 1,
    'query_pids': [0, 1],
    'gallery_pids': [0, 1, 2, -1],
}
WRONG_INPUTS = [
    ({'distance': 'manhattan'}, "Unknown distance 'manhattan'.*cosine"),
    ({'query_feats': np.eye(2, 4)}, 'differ in length: 4 and 3'),
    ({'query_feats': np.eye(2, 3)[0]}, 'identities are given|must be'),
    ({'query_feats': np.full((2, 3), np.nan)}, '2 of 2 rows of query_feats'),
    ({'gallery_feats': np.eye(5, 3)}, r'are \(2, 5\), but 2 query and 4 gallery'),
    ({'query_pids': [0.5, 1.0]}, 'query_pids must be integers'),
    ({'query_pids': [[0, 1]]}, 'query_pids must be integers of shape'),
    ({'query_camids': [0, 1]}, 'both queries and gallery, or of neither'),
    (
        {'query_camids': [0], 'gallery_camids': [0, 0, 0, 0]},
        'query_camids holds 1 values; expected 2',
    ),
    ({'gallery_pids': [-1] * 4}, r'2 queries and 0 gallery items \(4 with'),
    ({'topk': (0, 1)}, 'topk must be integers from 1'),
    ({'topk': ()}, 'topk must be integers from 1'),
    ({'ap': 'area'}, "Unknown ap 'area'.*step.*trapezoid"),
    ({'block_size': 0}, 'block_size must be at least 1; got 0'),
    ({'gallery_block_size': 0}, 'gallery_block_size must be at least 1; got 0'),
    (
        {'gallery_feats': np.array([[1, 2, 3], [0, 1, 0], [0, np.inf, 0], [0, 0, 1]])},
        '1 of 3 rows of gallery_feats hold NaN or infinity; the first is row 2',
    ),
    (
        {'query_feats': np.full((2, 3), 1e30, np.float32)},
        '2 of 2 rows of query_feats are too large to be squared',
    ),
]


@pytest.mark.parametrize(('changed', 'message'), WRONG_INPUTS)
def test_wrong_input_is_named(changed, message):
    evaluate_ranking(**GOOD)
    with pytest.raises(ValueError, match=message):
        evaluate_ranking(**{**GOOD, **changed})


def test_distances_must_be_finite():
    with pytest.raises(ValueError, match='query 0 and gallery item 0 is NaN'):
        evaluate_distances(np.array([[np.inf, 1.0]]), [1], [1, 2])


def test_a_block_without_a_right_answer():
    """The second query's identity is there, under its own camera alone."""
    distances = np.array([[2.0, 1.0], [1.0, 2.0]])
    result = evaluate_distances(distances, [7, 8], [7, 8], [1, 1], [2, 1], block_size=1)
    assert result.skipped_queries.tolist() == [1]
    assert result.first_hit.tolist() == [2, 0]


def test_no_valid_query_says_why():
    """One identity is absent, the other is seen by one camera only."""
    with pytest.raises(ValueError, match='match') as error:
        evaluate_distances(np.ones((3, 2)), [7, 8, 8], [8, 9], [3, 4, 4], [4, 0])
    message = str(error.value)
    assert 'None of the 3 queries' in message
    assert '1 of 2 query identities are not in the gallery: 7.' in message
    assert 'identities 8, cameras 4' in message
    assert "same_camera='keep'" in message

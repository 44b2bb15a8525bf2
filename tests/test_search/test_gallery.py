"""Galleries in a folder and on a server: what is kept, found and refused."""

import numpy as np
import pytest

from hplreid.search import (
    Calibration,
    Filters,
    Gallery,
    GalleryError,
    Item,
    ItemError,
    ModelKey,
    OtherModelError,
    Query,
    QueryError,
    copy_gallery,
    gallery_exists,
)
from hplreid.search.nearest import find_nearest_items

from .conftest import KEY, features, items, unit


def ids(found):
    return [hit.item.id for hit in found.hits]


def brute_force(query, feats, names, topk, kept=lambda name: True):
    """Rank all items in float64: by score, then by id."""
    scores = sum(
        feats[s].astype(np.float64) @ q.astype(float) for s, q in query.items()
    )
    ranked = sorted((-score, n) for score, n in zip(scores, names, strict=True))
    return [(n, -score) for score, n in ranked if kept(n)][:topk]


def test_items_and_features_come_back(gallery):
    assert gallery.count() == 60
    assert gallery.get(['003', 'nobody']) == {'003': items(60)[3]}
    assert sorted(item.id for item in gallery.items()) == [i.id for i in items(60)]
    expected = features(60)
    for some, found in gallery.scroll():
        for row, item in enumerate(some):
            for task in ('i2i', 't2i'):
                np.testing.assert_allclose(
                    found[task][row], expected[task][int(item.id)], atol=1e-7
                )
    assert gallery.cameras() == dict(a=20, b=20, c=20)
    assert gallery.sources() == dict(north=30, south=30)


@pytest.mark.parametrize('spaces', [('i2i',), ('t2i',), ('i2i', 't2i')])
@pytest.mark.parametrize('topk', [1, 7, 60, 100])
def test_the_ranking_is_that_of_all_scores(gallery, spaces, topk):
    """However the lists of the two spaces disagree, nothing is missed."""
    names = [item.id for item in items(60)]
    for seed in range(5):
        query = {
            space: (0.3 + seed / 5) * unit(8, seed=77 + seed + 10 * n)
            for n, space in enumerate(spaces)
        }
        found = find_nearest_items(gallery._store, query, topk, None, {'004'})
        expected = brute_force(query, features(60), names, topk, lambda n: n != '004')
        assert [point.payload['id'] for _, point in found] == [n for n, _ in expected]
        np.testing.assert_allclose(
            [score for score, _ in found], [s for _, s in expected], atol=1e-6
        )


def test_a_joined_ranking_goes_on_until_nothing_can_be_missed(url):
    """The best item together is the last but one of each list alone."""
    count = 400
    feats = dict(i2i=np.zeros((count, 8)), t2i=np.zeros((count, 8)))
    for n in range(count):  # good in one space, bad in the other
        angle = np.linspace(0.1, 1.4, count // 2)[n // 2]
        for number, space in enumerate(('i2i', 't2i')):
            angle_here = angle if n % 2 == number else np.pi - 0.01
            feats[space][n, :2] = np.cos(angle_here), np.sin(angle_here)
    best = 399
    for space in feats:
        feats[space][best, :2] = np.cos(1.2), np.sin(1.2)
    with Gallery.create(url, KEY) as gallery:
        gallery.add(items(count), feats)
        query = {space: 0.5 * np.eye(8, dtype=np.float32)[0] for space in feats}
        ((score, point),) = find_nearest_items(gallery._store, query, 1)
    assert point.payload['id'] == '399'
    assert score == pytest.approx(np.cos(1.2), abs=1e-6)


def test_equal_scores_are_ordered_by_id_and_not_cut(url):
    """Of 50 copies the first ten ids are found, in whatever order they came."""
    order = np.random.default_rng(3).permutation(50)
    feats = {task: np.repeat(f, 50, axis=0) for task, f in features(1).items()}
    with Gallery.create(url, KEY) as gallery:
        gallery.add([Item(f'{n:02d}') for n in order], feats)
        found = gallery.search(Query(like=['07']), topk=10)
    assert ids(found) == ['00', '01', '02', '03', '04', '05', '06', '08', '09', '10']


@pytest.mark.parametrize(
    'filters',
    [
        Filters(cameras=['a']),
        Filters(cameras=['a', 'c'], sources=['north']),
        Filters(start=10, end=20),
        Filters(start=55),
        Filters(cameras=['b'], end=9),
        Filters(cameras=['nobody']),
    ],
)
def test_filters_are_obeyed(gallery, filters):
    def kept(item):
        return (
            (not filters.cameras or item.camera in filters.cameras)
            and (not filters.sources or item.source in filters.sources)
            and (filters.start is None or item.time >= filters.start)
            and (filters.end is None or item.time <= filters.end)
        )

    names = {item.id for item in items(60) if kept(item)}
    query = dict(i2i=unit(8, seed=5), t2i=unit(8, seed=6))
    found = find_nearest_items(gallery._store, query, 8, filters)
    every = [item.id for item in items(60)]
    expected = brute_force(query, features(60), every, 8, names.__contains__)
    assert [point.payload['id'] for _, point in found] == [n for n, _ in expected]
    assert gallery.count(filters) == len(names)


def test_items_without_a_time_are_in_no_range(url):
    with Gallery.create(url, KEY) as gallery:
        gallery.add([Item('a'), Item('b', time=5.0)], features(2))
        assert gallery.count(Filters(start=-1e9, end=1e12)) == 1


def test_more_like_this_and_not_like_this(gallery):
    feats = features(60)['i2i'].astype(np.float64)
    found = gallery.search(Query(like=['001', '002'], unlike=['003', '004']), topk=5)
    scores = feats @ (feats[[1, 2]].mean(0) - 0.5 * feats[[3, 4]].mean(0))
    ranked = sorted((-s, n) for n, s in enumerate(scores) if n not in (1, 2, 3, 4))
    assert ids(found) == [f'{n:03d}' for _, n in ranked[:5]]
    np.testing.assert_allclose(
        [hit.score for hit in found.hits], [-s for s, _ in ranked[:5]], atol=1e-6
    )
    with pytest.raises(QueryError, match=r"like: the gallery .* has no item 'nobody'"):
        gallery.search(Query(like=['nobody']))


def test_added_items_are_new_and_upserted_ones_replace(gallery):
    with pytest.raises(ItemError, match=r"1 of these items already, '003'"):
        gallery.add([Item('new'), Item('003')], features(2))
    assert 'new' not in gallery.get(['new'])
    gallery.upsert([Item('new'), Item('003', camera='z')], features(2, seed=9))
    assert gallery.count() == 61
    assert gallery.get(['003'])['003'].camera == 'z'
    found = gallery.search(Query(like=['new']), topk=1)
    assert found.searched == 61
    with pytest.raises(ItemError, match="'x' is given twice"):
        gallery.upsert([Item('x'), Item('x')], features(2))


def test_removed_items_are_gone(gallery):
    nearest = ids(gallery.search(Query(like=['010']), topk=3))
    with pytest.raises(ItemError, match='nothing was removed'):
        gallery.remove([nearest[0], 'nobody'])
    gallery.remove(nearest[:2])
    assert gallery.count() == 58
    assert ids(gallery.search(Query(like=['010']), topk=1)) == nearest[2:]
    assert gallery.cameras() == {
        name: sum(
            item.camera == name and item.id not in nearest[:2] for item in items(60)
        )
        for name in 'abc'
    }


@pytest.mark.parametrize(
    ('wrong', 'message'),
    [
        (lambda f: dict(i2i=f['i2i']), r'has features for i2i and t2i; got i2i\.'),
        (lambda f: dict(f, x=f['i2i']), 'got i2i and t2i and x'),
        (lambda f: dict(f, i2i=f['i2i'][:1]), r"'i2i' are float32 \(1, 8\): expected"),
        (lambda f: dict(f, i2i=f['i2i'].astype(int)), "'i2i' are int64"),
        (lambda f: dict(f, t2i=f['t2i'] * 2), "'t2i', row 0: their length is 2"),
        (lambda f: dict(f, t2i=f['t2i'] * np.nan), "'t2i', row 0: their length is nan"),
    ],
)
def test_wrong_features_are_refused(gallery, wrong, message):
    with pytest.raises(GalleryError, match=message):
        gallery.add([Item('x'), Item('y')], wrong(features(2)))
    assert gallery.count() == 60


def test_features_of_another_model_are_refused(gallery):
    for changed in ('weights', 'preprocessing'):
        other = ModelKey(**{**KEY.to_json(), changed: 'ff' * 32})
        with pytest.raises(OtherModelError, match=f'of another model: its {changed}'):
            gallery.add([Item('x')], features(1), other)
    gallery.add([Item('x')], features(1), KEY)


def test_an_empty_gallery_says_so(url):
    with (
        Gallery.create(url, KEY) as gallery,
        pytest.raises(GalleryError, match='is empty: add items first'),
    ):
        gallery.search(Query(like=['a']))


def test_queries_without_a_model_are_items_alone(gallery):
    with pytest.raises(QueryError, match='encoded by a model'):
        gallery.search(Query(words='a man'))
    for topk in (0, -1, 2.5, True):
        with pytest.raises(QueryError, match='topk='):
            gallery.search(Query(like=['001']), topk=topk)


def test_a_gallery_is_made_once_and_opened_where_it_is(url):
    assert not gallery_exists(url)
    with pytest.raises(GalleryError, match='There is no gallery in'):
        Gallery.open(url)
    Gallery.create(url, KEY, root='shots').close()
    assert gallery_exists(url)
    with pytest.raises(GalleryError, match='already'):
        Gallery.create(url, KEY)
    with Gallery.open(url) as gallery:
        assert gallery.key == KEY
        assert gallery.root.endswith('/shots')
        assert gallery.describe()['items'] == 0


def test_thresholds_are_kept_and_tell_matches(url):
    calibration = Calibration(((1e-3, 0.4), (1e-2, 0.2)), 'a.json')
    with Gallery.create(url, KEY) as gallery:
        gallery.add(items(60), features(60))
        with pytest.raises(GalleryError, match=r"no thresholds for 'i2i'"):
            gallery.search(Query(like=['001']), far=1e-3)
        gallery.calibrate('i2i', calibration)
        with pytest.raises(GalleryError, match="thresholds are for 'x'"):
            gallery.calibrate('x', calibration)
    with Gallery.open(url) as gallery:
        found = gallery.search(Query(like=['001']), topk=60)
        assert (found.far, found.threshold) == (1e-3, 0.4)
        for hit in found.hits:
            assert hit.match == (hit.score >= 0.4)
            steps = 1e-3 if hit.score >= 0.4 else 1e-2 if hit.score >= 0.2 else None
            assert hit.far == steps
        assert {hit.far for hit in found.hits} == {1e-3, 1e-2, None}
        found = gallery.search(Query(like=['001']), topk=60, far=1e-2)
        assert found.threshold == 0.2
        with pytest.raises(GalleryError, match='far=0.5: a.json has thresholds at'):
            gallery.search(Query(like=['001']), far=0.5)
        # Of pairs alone are the rates known
        for query in (Query(like=['001', '002']), Query(like=['001'], unlike=['002'])):
            found = gallery.search(query, topk=3)
            assert {hit.match for hit in found.hits} == {None}
            assert found.threshold is None


def test_approximate_searches_say_their_recall(url):
    count = 3000
    feats = features(count)
    with Gallery.create(url, KEY) as gallery:
        gallery.add(items(count), feats)
        with pytest.raises(QueryError, match='has no index'):
            gallery.search(Query(like=['001']), approximate=True)
        recall = gallery.build_index()
        assert 0.9 < recall <= 1
        exact, near = (
            gallery.search(Query(like=['001']), approximate=a) for a in (False, True)
        )
        assert exact.recall is None
        assert near.recall == recall
        assert len({*ids(exact)} & {*ids(near)}) >= 8
        gallery.add([Item('x')], {k: v[:1] for k, v in feats.items()})
        found = gallery.search(Query(like=['x']), topk=1, approximate=True)
        assert ids(found) == ['000']  # what is added later is found, too
    with Gallery.open(url) as gallery:
        assert gallery.count() == count + 1
        again = gallery.search(Query(like=['001']))
        assert ids(again) == ids(exact)


def test_a_gallery_moves_to_a_server_and_back(tmp_path, server_url):
    with Gallery.create(tmp_path / 'a', KEY, root=tmp_path) as first:
        first.add(items(60), features(60))
        first.calibrate('t2i', Calibration(((1e-3, 0.4),), 'a.json'))
        second, done = copy_gallery(first, server_url)
        expected = ids(first.search(Query(like=['001'])))
    with second:
        assert done.added == second.count() == 60
        assert ids(second.search(Query(like=['001']))) == expected
        assert second.root == str(tmp_path)
        third, _ = copy_gallery(second, tmp_path / 'b')
    with third:
        assert ids(third.search(Query(like=['001']))) == expected
        assert third.calibration('t2i').points == ((1e-3, 0.4),)


def test_long_lists_of_ids_and_batches_are_whole(url):
    count = 1500
    with Gallery.create(url, KEY) as gallery:
        gallery.add(items(count), features(count))
        assert len(list(gallery.items())) == gallery.count() == count
        scrolled = [item.id for some, _ in gallery.scroll() for item in some]
        assert sorted(scrolled) == sorted(item.id for item in items(count))
        assert len(gallery.get([i.id for i in items(count)])) == count

"""Files of features and of scores of each query: what they hold, what is refused."""

import pickle

import numpy as np
import pytest

from hplreid.evaluation import (
    ArrayFileError,
    FeatureSet,
    PerQueryScores,
    find_differences,
)


def arrays(**changed):
    """A feature file's content."""
    content = {
        'query_feats': np.eye(2, 3, dtype=np.float32),
        'gallery_feats': np.eye(4, 3) + 1,
        'query_pids': np.array([0, 1]),
        'gallery_pids': np.array([0, 1, 2, -1]),
        'query_camids': np.array([0, 0]),
        'gallery_camids': np.array([1, 1, 1, 1], dtype=np.uint8),
        'query_names': np.array(['a.jpg', 'words, über']),
        'gallery_names': np.array(list('wxyz')),
    }
    content.update(changed)
    return {k: v for k, v in content.items() if v is not None}


def scores(**changed):
    """A file of scores of each query."""
    content = {
        'ap': np.array([100.0, 50.0, np.nan]),
        'inp': np.array([100.0, 25.0, np.nan]),
        'first_hit': np.array([1, 2, 0]),
        'pids': np.array([4, 4, 5]),
        'names': np.array(['a', 'b', 'c']),
        'settings': {'gallery': '9'},
    }
    return PerQueryScores(**{**content, **changed})


def test_features_survive_writing_and_reading(tmp_path):
    feats = FeatureSet(
        **arrays(),
        distance='euclidean',
        same_camera='keep',
        provenance={'seed': 3},
    )
    feats.save(tmp_path / 'new' / 'feats.npz')
    again = FeatureSet.load(tmp_path / 'new' / 'feats.npz')
    for name, value in vars(feats).items():
        np.testing.assert_array_equal(getattr(again, name), value)
    assert (again.distance, again.same_camera) == ('euclidean', 'keep')
    assert again.query_feats.dtype == np.float32
    assert again.provenance == {'seed': 3}
    assert [p.name for p in (tmp_path / 'new').iterdir()] == ['feats.npz']


def test_a_file_of_others_needs_four_arrays(tmp_path):
    four = {k: v for k, v in arrays().items() if k.endswith(('feats', 'pids'))}
    np.savez(tmp_path / 'feats.npz', **four, other=np.zeros(3))
    feats = FeatureSet.load(tmp_path / 'feats.npz')
    assert not feats.has_cameras()
    assert feats.query_names is feats.distance is None
    assert feats.provenance == {}
    cameras = FeatureSet(**arrays())
    assert cameras.has_cameras()
    assert not FeatureSet(**arrays(query_camids=np.array([0, -1]))).has_cameras()


@pytest.mark.parametrize(
    ('changed', 'message'),
    [
        ({'query_pids': None}, 'lacks query_pids; it holds: gallery_camids, '),
        ({'gallery_camids': None}, 'lacks gallery_camids'),
        ({'query_names': None}, 'lacks query_names'),
        ({'query_feats': np.eye(2)[0]}, r'query_feats must be floats \(N, D\)'),
        ({'query_feats': np.eye(2, 3, dtype=int)}, 'must be floats .* got int64'),
        ({'query_feats': np.eye(3)}, 'query_feats has 3 rows, query_pids has 2'),
        ({'query_feats': np.eye(2, 4)}, 'differ in length: 4 and 3'),
        (
            {'gallery_feats': np.array([[1, np.nan, 0], *np.eye(3)])},
            '1 of 4 rows of gallery_feats hold NaN',
        ),
        ({'gallery_pids': np.array([0.0, 1, 2, 3])}, 'gallery_pids must be integers'),
        ({'gallery_pids': np.array(3)}, r'gallery_pids must be integers \(N,\)'),
        ({'query_camids': np.array([1])}, 'query_camids has 1 rows, query_pids has 2'),
        ({'query_names': np.array([1, 2])}, 'query_names must be strings'),
        (
            {'query_names': np.array(['a', None])},
            "'query_names' can't be read .*object",
        ),
    ],
)
def test_wrong_features_are_named(tmp_path, changed, message):
    path = tmp_path / 'feats.npz'
    np.savez(path, **arrays(**changed))
    with pytest.raises(ArrayFileError, match=message):
        FeatureSet.load(path)


class Bomb:
    """Executes something when it is unpickled."""

    def __reduce__(self):
        return (exec, ("raise SystemExit('executed')",))


def test_nothing_in_a_file_is_executed(tmp_path):
    np.savez(
        tmp_path / 'feats.npz', **arrays(query_names=np.array([Bomb(), Bomb()], object))
    )
    (tmp_path / 'pickle.npz').write_bytes(pickle.dumps(Bomb()))
    for name in ('feats.npz', 'pickle.npz'):
        with pytest.raises(ArrayFileError, match="can't be read|is no .npz"):
            FeatureSet.load(tmp_path / name)
    with pytest.raises(ValueError, match='holds Python objects; expected numbers'):
        FeatureSet(**arrays(query_names=np.array([None, 1]))).save(tmp_path / 'x.npz')
    assert sorted(p.name for p in tmp_path.iterdir()) == ['feats.npz', 'pickle.npz']


def test_files_that_are_none(tmp_path):
    with pytest.raises(FileNotFoundError, match='does not exist'):
        FeatureSet.load(tmp_path / 'no.npz')
    np.save(tmp_path / 'one.npy', np.eye(2))
    with pytest.raises(ArrayFileError, match='is no .npz file'):
        FeatureSet.load(tmp_path / 'one.npy')
    whole = tmp_path / 'feats.npz'
    np.savez_compressed(whole, **arrays())
    content = bytearray(whole.read_bytes())
    content[60:90] = bytes(30)
    whole.write_bytes(content)
    with pytest.raises(ArrayFileError):
        FeatureSet.load(whole)


def test_scores_survive_writing_and_reading(tmp_path):
    scores().save(tmp_path / 'a.npz')
    again = PerQueryScores.load(tmp_path / 'a.npz')
    assert find_differences(scores(), again) == []
    assert again.settings == {'gallery': '9'}
    found = again.scores(topk=(1, 2))
    assert list(found) == ['mAP', 'R1', 'R2', 'mINP']
    np.testing.assert_array_equal(found['mAP'], [100, 50, np.nan])
    np.testing.assert_array_equal(found['R1'], [100, 0, np.nan])
    np.testing.assert_array_equal(found['R2'], [100, 100, np.nan])


def test_scores_of_the_first_version_are_read(tmp_path):
    scores(settings={'normalised': 'yes'}).save(tmp_path / 'a.npz')
    again = PerQueryScores.load(tmp_path / 'a.npz')
    assert again.settings == {'normalized': 'yes'}


def test_wrong_scores_are_named(tmp_path):
    scores(pids=np.array([4, 4])).save(tmp_path / 'a.npz')
    with pytest.raises(ArrayFileError, match=r'columns differ in length: ap \(3,\)'):
        PerQueryScores.load(tmp_path / 'a.npz')
    np.savez(tmp_path / 'b.npz', ap=np.ones(2))
    with pytest.raises(ArrayFileError, match='lacks inp, first_hit, pids, names, sett'):
        PerQueryScores.load(tmp_path / 'b.npz')


@pytest.mark.parametrize(
    ('changed', 'message'),
    [
        (
            {'names': np.array(['a', 'x', 'y'])},
            'names of queries: 2 of 3 differ '
            "(query 1: 'b' and 'x'; query 2: 'c' and 'y')",
        ),
        (
            {'pids': np.array([4, 4, 6])},
            "identities of queries: 1 of 3 differ (query 2: '5' and '6')",
        ),
        (
            {'first_hit': np.array([1, 2, 3])},
            "whether a query is skipped: 1 of 3 differ (query 2: 'True' and 'False')",
        ),
        ({'settings': {'gallery': '8'}}, 'size of the gallery: 9 and 8'),
    ],
)
def test_differences_of_runs_are_named(changed, message):
    assert find_differences(scores(), scores(**changed)) == [message]


def test_other_numbers_of_queries():
    fewer = scores(ap=np.ones(2))
    assert find_differences(scores(), fewer) == [
        '3 queries in the first, 2 in the second'
    ]


def test_chances_of_ties_survive_and_are_scores(tmp_path):
    """A first match that ties with three mismatches is among two half the time."""
    ties = np.array([[0, 0, 1, 0], [0, 0, 1, 3], [0, 0, 0, 0]])
    scores(first_tie=ties).save(tmp_path / 'a.npz')
    again = PerQueryScores.load(tmp_path / 'a.npz')
    np.testing.assert_array_equal(again.first_tie, ties)
    np.testing.assert_array_equal(again.scores([2])['R2'], [100, 50, np.nan])
    np.testing.assert_array_equal(scores().scores([2])['R2'], [100, 100, np.nan])
    scores(first_tie=ties[:, :2]).save(tmp_path / 'b.npz')
    with pytest.raises(ArrayFileError, match=r'first_tie is of shape \(3, 2\)'):
        PerQueryScores.load(tmp_path / 'b.npz')

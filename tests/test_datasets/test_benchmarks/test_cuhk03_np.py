"""Reading CUHK03-NP with both detectors."""

import pytest

from hplreid.datasets import CUHK03NP, CountMismatchError, MissingDataError
from tests.benchmark_trees import make_cuhk03_np


def load(root, split='train', **options):
    return CUHK03NP(str(root), split, **{'expected': None, **options})


def rows(dataset):
    items = [dataset.get_data_info(i) for i in range(len(dataset))]
    return [(i['split'], i['pid'], i['camid'], i['label']) for i in items]


def test_train(tmp_path):
    dataset = load(make_cuhk03_np(tmp_path, num_ids=2))
    assert rows(dataset) == [
        ('train', pid, camid, pid - 1) for pid in (1, 2) for camid in (0, 0, 1, 1)
    ]
    path = tmp_path / 'labeled' / 'bounding_box_train' / '0001_c2_1.png'
    assert dataset.get_data_info(2)['img_path'] == str(path)


def test_one_query_per_camera(tmp_path):
    make_cuhk03_np(tmp_path, num_ids=1, num_test_ids=2)
    pairs = [(pid, camid) for pid in (2, 3) for camid in (0, 1)]
    assert rows(load(tmp_path, 'test')) == [
        (split, pid, camid, -1)
        for split in ('query', 'gallery')
        for pid, camid in pairs
    ]


def test_detector_chooses_the_folder(tmp_path, monkeypatch):
    make_cuhk03_np(tmp_path, 'labeled', num_ids=2)
    make_cuhk03_np(tmp_path, 'detected', num_ids=3)
    logged = []
    monkeypatch.setattr(
        'hplreid.datasets.base.log', lambda text, **_: logged.append(text)
    )
    assert load(tmp_path, detector='detected').num_ids == 3
    assert load(tmp_path).num_ids == 2
    assert '(detected boxes)' in logged[0]
    assert '(labeled boxes)' in logged[1]
    with pytest.raises(ValueError, match=r"detector must be .*got 'dpm'"):
        load(tmp_path, detector='dpm')


@pytest.mark.parametrize(
    ('detector', 'train', 'gallery'),
    [('labeled', '7,368', '5,328'), ('detected', '7,365', '5,332')],
)
def test_published_counts_depend_on_the_detector(tmp_path, detector, train, gallery):
    make_cuhk03_np(tmp_path, detector)
    options = dict(detector=detector, expected='published', strict=True)
    with pytest.raises(
        CountMismatchError, match=f'published 767 identities, {train} images'
    ):
        load(tmp_path, **options)
    with pytest.raises(
        CountMismatchError, match=f'published 700 identities, {gallery} images'
    ):
        load(tmp_path, 'test', **options)


def test_find_problems(tmp_path):
    make_cuhk03_np(tmp_path)
    find = CUHK03NP.find_problems
    assert find(data_root=str(tmp_path), split='test', detector='labeled') == []
    (problem,) = find(data_root=str(tmp_path), detector='detected', pipeline=[])
    assert f"{tmp_path / 'detected' / 'bounding_box_train'}' does not exist" in problem
    assert '0001_c1_1.png' in problem
    (tmp_path / 'cuhk03_release').mkdir()
    (tmp_path / 'cuhk03_release' / 'cuhk-03.mat').touch()
    _, hint = find(data_root=str(tmp_path), detector='detected')
    assert 'tools/dataset_tools/convert_cuhk03.py' in hint
    assert find(data_root=str(tmp_path)) == []
    with pytest.raises(MissingDataError, match='convert_cuhk03.py'):
        load(tmp_path, detector='detected')


def test_images_with_another_extension_are_ignored(tmp_path):
    make_cuhk03_np(tmp_path)
    folder = tmp_path / 'labeled' / 'query'
    for path in folder.iterdir():
        path.rename(path.with_suffix('.jpg'))
    (problem,) = CUHK03NP.find_problems(data_root=str(tmp_path), split='test')
    assert 'holds no .png' in problem

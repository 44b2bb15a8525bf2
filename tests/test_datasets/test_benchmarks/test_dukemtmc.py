"""Reading DukeMTMC-reID: Market-1501's layout without junk, and the withdrawal."""

import pytest

from hplreid.datasets import DukeMTMCReID, MissingDataError
from hplreid.datasets.benchmarks import dukemtmc
from tests.benchmark_trees import make_duke


def load(root, split='train', **options):
    return DukeMTMCReID(str(root), split, **{'expected': None, **options})


def rows(dataset):
    items = [dataset.get_data_info(i) for i in range(len(dataset))]
    return [(i['split'], i['pid'], i['camid'], i['label']) for i in items]


def test_train(tmp_path):
    dataset = load(make_duke(tmp_path, num_ids=2, images_per_id=2))
    assert rows(dataset) == [
        *[('train', 1, 0, 0), ('train', 1, 1, 0)],
        *[('train', 2, 0, 1), ('train', 2, 1, 1)],
    ]
    item = dataset.get_data_info(1)
    path = tmp_path / 'bounding_box_train' / '0001_c2_f0000001.jpg'
    assert item['img_path'] == str(path)
    assert item['source'] == 'DukeMTMC-reID'
    assert item['caption'] is None


def test_queries_then_gallery_with_distractors(tmp_path):
    make_duke(tmp_path, num_ids=2, num_test_ids=2, num_distractors=2)
    assert rows(load(tmp_path, 'test')) == [
        *[('query', 3, 6, -1), ('query', 4, 6, -1)],
        *[('gallery', pid, 7, -1) for pid in (3, 4, 5, 6)],
    ]


def test_inner_folder_is_found(tmp_path):
    make_duke(tmp_path / 'DukeMTMC-reID')
    assert len(load(tmp_path)) == len(load(tmp_path / 'DukeMTMC-reID')) == 6
    (tmp_path / 'DukeMTMC-reID' / 'query').rename(tmp_path / 'query')
    (problem,) = DukeMTMCReID.find_problems(data_root=str(tmp_path), split='test')
    assert f"{tmp_path / 'DukeMTMC-reID' / 'query'}' does not exist" in problem


def test_missing_data_message_says_withdrawn(tmp_path):
    with pytest.raises(MissingDataError, match='withdrawn by its authors') as error:
        load(tmp_path / 'nowhere')
    assert 'only distributed by its authors' not in str(error.value)


def test_warning_is_logged_once(tmp_path, monkeypatch):
    make_duke(tmp_path)
    warnings = []
    monkeypatch.setattr(
        dukemtmc, 'log', lambda text, level, **_: warnings.append((level, text))
    )
    dukemtmc._warn_withdrawn.cache_clear()
    load(tmp_path)
    load(tmp_path, 'test')
    ((level, text),) = warnings
    assert level == 30
    assert 'withdrawn by its authors' in text


def test_published_counts():
    published = DukeMTMCReID.published
    total = sum(c.images for split in published.values() for c in split.values())
    assert total == 36_411
    assert published['test']['gallery'].ids == 702 + 408

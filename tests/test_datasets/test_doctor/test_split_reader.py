"""Reading splits despite faults."""

import pytest

from hplreid.datasets import Market1501
from hplreid.datasets.doctor import find_split_configs, parse_dataset
from hplreid.datasets.doctor.split_reader import read_splits
from hplreid.datasets.errors import AnnotationError
from tests.doctor_splits import configs_of, summary_of
from tests.helpers import (
    make_cuhk_pedes,
    make_market,
    read_entries,
    write_entries,
    write_image,
)


def test_invalid_file_names_are_skipped(tmp_path):
    root = make_market(tmp_path)
    write_image(root / 'bounding_box_train' / 'me.jpg', 'x')
    write_image(root / 'query' / '0000_c1s1_000000_00.jpg', 'x')
    splits, findings = read_splits(
        [*configs_of('Market1501', root), *configs_of('Market1501', root, split='test')]
    )
    assert summary_of(findings) == [('error', 'annotation', 1)] * 2
    assert [f.examples for f in findings] == [('me.jpg',), ('0000_c1s1_000000_00.jpg',)]
    assert [len(split.items) for split in splits] == [16, 4 + 1 + 5]
    with pytest.raises(AnnotationError, match=r'me\.jpg'):
        Market1501(str(root), expected=None)


def test_missing_dataset_is_reported_once(tmp_path):
    both = [
        *configs_of('Market1501', tmp_path / 'no'),
        *configs_of('Market1501', tmp_path / 'no', split='test'),
    ]
    splits, findings = read_splits(both)
    assert splits == []
    assert summary_of(findings) == [('error', 'unreadable split', 1)]
    assert 'does not exist' in findings[0].message


def test_invalid_entries_are_skipped_and_broken_json_is_reported_once(tmp_path):
    root = make_cuhk_pedes(tmp_path)
    entries = read_entries(root)
    entries[0]['id'] = 'you'
    entries[1]['captions'] = []
    write_entries(root, entries)
    both = [
        *configs_of('CUHKPEDES', root),
        *configs_of('CUHKPEDES', root, split='test'),
    ]
    splits, findings = read_splits(both)
    assert summary_of(findings) == [('error', 'annotation', 2)]
    assert len(splits[0].paths) == 6
    assert len(splits[1].items) == 12
    (root / 'reid_raw.json').write_text('[{')
    splits, findings = read_splits(both)
    assert splits == []
    assert summary_of(findings) == [('error', 'unreadable split', 1)]


def test_empty_val_is_a_warning_and_empty_test_an_error(tmp_path):
    root = make_cuhk_pedes(tmp_path, num_val_ids=0)
    _, findings = read_splits(parse_dataset(f'CUHKPEDES:{root}', {'expected': None}))
    assert summary_of(findings) == [('warning', 'empty split', 1)]
    make_cuhk_pedes(root, num_test_ids=0)
    _, findings = read_splits(configs_of('CUHKPEDES', root, split='test'))
    assert summary_of(findings) == [('error', 'empty split', 1)]


def test_images_without_camera_are_skipped(tmp_path):
    for name in ('train/1/c1.jpg', 'train/1/c2.jpg', 'train/1/x.jpg'):
        write_image(tmp_path / name, name)
    splits, findings = read_splits(
        find_split_configs(
            {'type': 'FolderDataset', 'data_root': str(tmp_path), 'camera': r'c(\d)'}
        )
    )
    assert summary_of(findings) == [('error', 'annotation', 1)]
    assert len(splits[0].items) == 2

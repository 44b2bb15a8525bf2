"""Reading CUHK-PEDES: items, order and error messages."""

import json
import random

import pytest

from hplreid.datasets import (
    CUHKPEDES,
    AnnotationError,
    EmptySplitError,
    MissingDataError,
)
from tests.helpers import make_cuhk_pedes, read_entries, write_entries


def load(root, split='train'):
    return CUHKPEDES(str(root), split, expected=None)


def items_of(dataset):
    return [dataset.get_data_info(i) for i in range(len(dataset))]


def test_train_has_one_item_per_caption(tmp_path):
    make_cuhk_pedes(tmp_path, num_ids=3, images_per_id=2, captions_per_image=2)
    dataset = load(tmp_path)
    entries = [e for e in read_entries(tmp_path) if e['split'] == 'train']
    assert len(dataset) == 3 * 2 * 2
    assert dataset.num_images == 6
    assert dataset.has_caption.all()
    assert dataset.metainfo['label_of'] == {1: 0, 2: 1, 3: 2}
    item = dataset.get_data_info(3)
    assert item == {
        'img_path': str(tmp_path / 'imgs' / entries[1]['file_path']),
        'pid': 1,
        'label': 0,
        'camid': -1,
        'caption': entries[1]['captions'][1],
        'source': 'CUHK-PEDES',
        'split': 'train',
        'sample_idx': 3,
    }


@pytest.mark.parametrize(('split', 'pids'), [('val', [5]), ('test', [6, 7])])
def test_gallery_images_then_query_captions(tmp_path, split, pids):
    make_cuhk_pedes(tmp_path, num_ids=4, images_per_id=2, captions_per_image=3)
    items = items_of(load(tmp_path, split))
    gallery, queries = items[: 2 * len(pids)], items[2 * len(pids) :]
    assert [i['pid'] for i in gallery] == sorted(pids * 2)
    assert [i['pid'] for i in queries] == sorted(pids * 6)
    assert all(i['caption'] is None and i['split'] == 'gallery' for i in gallery)
    assert all(i['img_path'] is None and i['split'] == 'query' for i in queries)
    assert len({i['caption'] for i in queries if i['pid'] == pids[0]}) == 6
    assert {i['label'] for i in items} == {-1}


def test_order_of_entries_does_not_matter(tmp_path):
    make_cuhk_pedes(tmp_path, num_ids=6)
    before = load(tmp_path)
    entries = read_entries(tmp_path)
    # One image listed twice, with different captions, must not leave a tie either
    twice = [dict(entries[0], captions=['b']), dict(entries[0], captions=['a'])]
    random.Random(1).shuffle(entries)
    write_entries(tmp_path, entries)
    after = load(tmp_path)
    assert items_of(after) == items_of(before)
    assert after.metainfo == before.metainfo
    write_entries(tmp_path, twice)
    once = items_of(load(tmp_path))
    write_entries(tmp_path, twice[::-1])
    assert items_of(load(tmp_path)) == once


def test_labels_are_contiguous_for_sparse_ids(tmp_path):
    make_cuhk_pedes(tmp_path, num_ids=3, images_per_id=1)
    entries = read_entries(tmp_path)
    entries[0]['id'] = 900
    write_entries(tmp_path, entries)
    assert load(tmp_path).metainfo['label_of'] == {2: 0, 3: 1, 900: 2}


def test_missing_images_are_counted_by_folder(tmp_path):
    make_cuhk_pedes(tmp_path, num_ids=14, images_per_id=1, market={1: 3, 2: 4})
    for folder, name in (('Market', '0003'), ('cam_a', '003'), ('cam_a', '004')):
        for path in (tmp_path / 'imgs' / folder).glob(f'{name}*'):
            path.unlink()
    with pytest.raises(MissingDataError) as error:
        load(tmp_path)
    message = str(error.value)
    assert '3 images that' in message
    assert 'Market/: 1, cam_a/: 2' in message
    assert 'cam_a/003_0.jpg, cam_a/004_0.jpg' in message
    assert len(load(tmp_path, 'val')) == 3  # its images are all there


def test_missing_image_folder_lists_ten_images_and_counts_all(tmp_path):
    make_cuhk_pedes(tmp_path, num_ids=14, images_per_id=1)
    (tmp_path / 'imgs' / 'cam_a').rename(tmp_path / 'elsewhere')
    with pytest.raises(MissingDataError, match=r'cam_a/: 14.*010_0.jpg and 4 more'):
        load(tmp_path)


@pytest.mark.parametrize(
    ('change', 'reason'),
    [
        ({'id': '3'}, "id is '3', not a whole number"),
        ({'id': 3.0}, 'id is 3.0, not a whole number'),
        ({'id': True}, 'id is True, not a whole number'),
        ({'id': -1}, 'id is -1, not a whole number'),
        ({'split': 'dev'}, "split is 'dev', not one of"),
        ({'captions': 'a man'}, "captions is 'a man', not a list"),
        ({'captions': []}, r'captions is \[\], not a list of at least one'),
        ({'captions': ['a man', 7]}, 'caption 7 is not a text'),
        ({'captions': ['  ']}, "caption '  ' is not a text"),
        ({'file_path': None}, 'file_path is None, not a path'),
        ({'file_path': '../a.jpg'}, "file_path is '../a.jpg', not a path inside imgs/"),
        ({'file_path': '/a.jpg'}, "file_path is '/a.jpg', not a path inside imgs/"),
        ({'id': 2**31}, f'id is {2**31}, not a whole number'),
    ],
)
def test_invalid_entries(tmp_path, change, reason):
    make_cuhk_pedes(tmp_path, num_ids=2)
    entries = read_entries(tmp_path)
    write_entries(tmp_path, [entries[0], dict(entries[1], **change)])
    with pytest.raises(AnnotationError, match=f'1 of 2 entries.*\n  entry 1: {reason}'):
        load(tmp_path)


def test_invalid_file_structure(tmp_path):
    make_cuhk_pedes(tmp_path)
    file = tmp_path / 'reid_raw.json'
    write_entries(tmp_path, [{'id': 1, 'captions': ['a']}, 'text'])
    with pytest.raises(AnnotationError, match='has no split, file_path\n.*is a str'):
        load(tmp_path)
    file.write_text('{"train": []}')
    with pytest.raises(AnnotationError, match='reid_raw.json. holds a dict. Expected'):
        load(tmp_path)
    file.write_text('[{"split": ')
    with pytest.raises(AnnotationError, match='is not valid JSON'):
        load(tmp_path)
    file.write_text('[' * 100_000)
    with pytest.raises(AnnotationError, match='is not valid JSON'):
        load(tmp_path)
    file.write_text('[]')
    with pytest.raises(EmptySplitError, match="split 'train' .* is empty"):
        load(tmp_path)


def test_many_faults_are_counted(tmp_path):
    make_cuhk_pedes(tmp_path)
    write_entries(tmp_path, [None] * 25)
    with pytest.raises(AnnotationError, match='25 of 25 .*') as error:
        load(tmp_path)
    assert str(error.value).count('is a NoneType') == 10
    assert 'and 15 more' in str(error.value)


def test_find_problems(tmp_path):
    find = CUHKPEDES.find_problems
    assert 'does not exist' in find(data_root=str(tmp_path / 'no'))[0]
    tmp_path.joinpath('empty').mkdir()
    images, annotation = find(data_root=str(tmp_path / 'empty'), split='test')
    assert "imgs' does not exist" in images
    assert "reid_raw.json' does not exist" in annotation
    with pytest.raises(MissingDataError, match='imgs(.|\n)*reid_raw'):
        load(tmp_path / 'empty')
    make_cuhk_pedes(tmp_path)
    assert find(data_root=str(tmp_path)) == []
    with pytest.raises(ValueError, match="no split 'query'"):
        find(data_root=str(tmp_path), split='query')


def _caption_all(entries):
    """Return entries in the format of the older release."""
    return [{k: e[k] for k in ('id', 'file_path', 'captions')} for e in entries]


def test_release_without_splits_is_reported(tmp_path):
    make_cuhk_pedes(tmp_path)
    (tmp_path / 'reid_raw.json').rename(tmp_path / 'caption_all.json')
    (problem,) = CUHKPEDES.find_problems(data_root=str(tmp_path))
    assert 'caption_all.json' in problem
    assert 'has no splits' in problem
    assert 'Ask the authors for reid_raw.json' in problem
    with pytest.raises(MissingDataError, match='numbers identities in another order'):
        load(tmp_path)


def test_release_without_splits_is_recognized_under_another_name(tmp_path):
    make_cuhk_pedes(tmp_path)
    write_entries(tmp_path, _caption_all(read_entries(tmp_path)))
    (problem,) = CUHKPEDES.find_problems(data_root=str(tmp_path))
    assert "reid_raw.json' is caption_all.json under another name" in problem
    with pytest.raises(MissingDataError, match='under another name'):
        load(tmp_path)


def test_both_releases_side_by_side(tmp_path):
    make_cuhk_pedes(tmp_path)
    expected = items_of(load(tmp_path))
    (tmp_path / 'caption_all.json').write_text('[]')
    assert CUHKPEDES.find_problems(data_root=str(tmp_path)) == []
    assert items_of(load(tmp_path)) == expected


def test_annotations_are_read_once_until_they_change(tmp_path, monkeypatch):
    make_cuhk_pedes(tmp_path, num_ids=3)
    read = []
    parse = json.load
    monkeypatch.setattr(json, 'load', lambda file: read.append(file) or parse(file))
    before = load(tmp_path)
    assert items_of(load(tmp_path)) == items_of(before)
    assert len(read) == 1
    monkeypatch.undo()
    write_entries(tmp_path, [dict(e, id=e['id'] + 9) for e in read_entries(tmp_path)])
    after = load(tmp_path)
    pids = [[item['pid'] for item in items_of(d)] for d in (before, after)]
    assert pids[1] == [pid + 9 for pid in pids[0]]

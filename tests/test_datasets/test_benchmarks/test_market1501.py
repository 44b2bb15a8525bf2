"""Reading Market-1501: items, order and error messages."""

import os

import pytest

from hplreid.datasets import (
    AnnotationError,
    CountMismatchError,
    Market1501,
    MissingDataError,
    UnreadableImageError,
)
from tests.helpers import make_market, market_name, write_image


def load(root, split='train', **options):
    return Market1501(str(root), split, **{'expected': None, **options})


def test_train_items(tmp_path):
    make_market(tmp_path, num_ids=3, images_per_id=2, first_pid=7)
    dataset = load(tmp_path)
    assert len(dataset) == 6
    assert dataset.num_ids == 3
    assert dataset.num_images == 6
    assert dataset.metainfo['label_of'] == {7: 0, 8: 1, 9: 2}
    assert dataset.get_data_info(3) == {
        'img_path': str(tmp_path / 'bounding_box_train' / market_name(8, 2, 1)),
        'pid': 8,
        'label': 1,
        'camid': 1,
        'caption': None,
        'source': 'Market-1501',
        'split': 'train',
        'sample_idx': 3,
    }
    assert dataset.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert not dataset.has_caption.any()


def test_queries_then_gallery_without_junk(tmp_path):
    make_market(tmp_path, num_ids=1, num_test_ids=2, num_distractors=2, num_junk=3)
    for name in ('Thumbs.db', f'._{market_name(2, 1, 1)}'):
        (tmp_path / 'bounding_box_test' / name).write_text('')
    dataset = load(tmp_path, 'test')
    items = [dataset.get_data_info(i) for i in range(len(dataset))]
    assert [(i['split'], i['pid']) for i in items] == [
        *[('query', 2), ('query', 2), ('query', 3), ('query', 3)],
        *[('gallery', 0), ('gallery', 0)],
        *[('gallery', 2), ('gallery', 2), ('gallery', 3), ('gallery', 3)],
    ]
    assert [i['camid'] for i in items[:4]] == [0, 1, 0, 1]
    assert {i['label'] for i in items} == {-1}
    assert dataset.metainfo['label_of'] == {}


def test_labels_are_sorted_by_number_not_by_name(tmp_path):
    # As text, '10000' sorts before '9999'
    for pid in (10000, 9999, 2):
        name = f'{pid:04d}_c1s1_000000_00.jpg'
        write_image(tmp_path / 'bounding_box_train' / name, 'x')
    assert load(tmp_path).metainfo['label_of'] == {2: 0, 9999: 1, 10000: 2}


@pytest.mark.parametrize(
    'name',
    [
        *('woman.jpg', '0002_s1.jpg', '0002_c0s1_000451_03.jpg', '-2_c1s1.jpg'),
        *('٢_c1s1.jpg', '0002_c1234s1.jpg', '1234567890_c1s1.jpg'),
    ],
)
def test_invalid_file_names(tmp_path, name):
    make_market(tmp_path)
    write_image(tmp_path / 'bounding_box_train' / name, 'x')
    with pytest.raises(AnnotationError, match=f'1 file names in .*: {name}. Expected'):
        load(tmp_path)


def test_distractor_among_queries_is_an_error(tmp_path):
    make_market(tmp_path)
    write_image(tmp_path / 'query' / market_name(0, 1, 0), 'x')
    with pytest.raises(AnnotationError, match='query.*identity 0: 0000_c1'):
        load(tmp_path, 'test')


def test_missing_folder(tmp_path):
    root = tmp_path / 'nowhere'
    with pytest.raises(MissingDataError, match='nowhere.*bounding_box_train/.*authors'):
        load(root)
    assert len(Market1501.find_problems(data_root=str(root), split='test')) == 1


def test_every_problem_is_found(tmp_path):
    make_market(tmp_path)
    for name in os.listdir(tmp_path / 'query'):
        (tmp_path / 'query' / name).unlink()
    (tmp_path / 'bounding_box_test').rename(tmp_path / 'gallery')
    problems = Market1501.find_problems(
        data_root=str(tmp_path), split='test', pipeline=[], verify=True
    )
    assert len(problems) == 2
    assert 'query' in problems[0]
    assert 'no .jpg' in problems[0]
    assert "bounding_box_test' does not exist" in problems[1]
    assert Market1501.find_problems(data_root=str(tmp_path), split='train') == []


def test_split_with_only_junk_is_empty(tmp_path):
    write_image(tmp_path / 'bounding_box_train' / market_name(-1, 1, 0), 'x')
    with pytest.raises(MissingDataError, match="split 'train' .* is empty"):
        load(tmp_path)


def test_unknown_options(tmp_path):
    make_market(tmp_path)
    with pytest.raises(ValueError, match="no split 'val'.*'train', 'test'"):
        load(tmp_path, 'val')
    with pytest.raises(ValueError, match="'published' or None, got 'all'"):
        load(tmp_path, expected='all')


def test_published_counts(tmp_path, monkeypatch):
    make_market(tmp_path, num_ids=2, images_per_id=3)
    text = 'found 2 identities, 6 images; published 751 identities, 12,936 images'
    warnings = []
    monkeypatch.setattr(
        'hplreid.datasets.counts.log',
        lambda message, level, **_: warnings.append((level, message)),
    )
    load(tmp_path)
    assert warnings == []
    load(tmp_path, expected='published')
    assert warnings[0][0] == 30
    assert text in warnings[0][1]
    with pytest.raises(CountMismatchError, match=text):
        load(tmp_path, expected='published', strict=True)


def test_matching_counts_pass(tmp_path, monkeypatch):
    make_market(tmp_path, num_ids=2, images_per_id=3)
    counts = {'train': {'train': (2, 6)}}
    monkeypatch.setattr(Market1501, 'published', counts)
    assert len(load(tmp_path, expected='published', strict=True)) == 6


def test_verify_lists_every_unreadable_file(tmp_path):
    make_market(tmp_path)
    folder = tmp_path / 'bounding_box_train'
    cut, empty = market_name(1, 1, 0), market_name(3, 2, 1)
    (folder / cut).write_bytes((folder / cut).read_bytes()[:300])
    (folder / empty).write_bytes(b'')
    assert len(load(tmp_path)) == 16  # files are only decoded if verify=True
    with pytest.raises(UnreadableImageError, match='2 of 16 images') as error:
        load(tmp_path, verify=True)
    assert cut in str(error.value)
    assert empty in str(error.value)


def test_name_option(tmp_path):
    make_market(tmp_path)
    dataset = load(tmp_path, name='SynthPeds')
    assert dataset.metainfo['dataset_name'] == 'SynthPeds'
    assert dataset.get_data_info(0)['source'] == 'SynthPeds'

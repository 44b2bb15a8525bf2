"""FolderDataset: items, order and error messages."""

import os
import random
from pathlib import Path

import pytest

from hplreid.datasets import (
    AnnotationError,
    FolderDataset,
    MissingDataError,
    UnreadableImageError,
)
from hplreid.datasets.own_data import folder_dataset as folder_module
from hplreid.datasets.own_data import own_dataset as own_data_module
from tests.helpers import write_image

FILES = (
    'train/bob/1_c0.jpg',
    'train/anna/2_c1.JPG',
    'train/anna/1_c0.png',
    'train/anna/more/0_c7.jpg',
    'query/dora/1_c0.jpg',
    'gallery/dora/1_c1.jpg',
    'gallery/emil/1_c1.jpeg',
)
CAMERA = r'_c(\d+)'


def make_folder(root, files=FILES):
    for name in files:
        write_image(root / name, name)
    return str(root)


def fields(dataset, *keys):
    items = [dataset.get_data_info(i) for i in range(len(dataset))]
    return [tuple(item[key] for key in keys) for item in items]


@pytest.fixture
def root(tmp_path):
    return make_folder(tmp_path / 'mine')


@pytest.fixture
def warnings(monkeypatch):
    messages = []
    for module in (folder_module, own_data_module):
        monkeypatch.setattr(module, 'log', lambda text, **_: messages.append(text))
    return messages


def test_training_items(root):
    dataset = FolderDataset(root, camera=CAMERA)
    assert fields(dataset, 'img_path', 'pid', 'label', 'camid') == [
        (f'{root}/train/anna/1_c0.png', 0, 0, 0),
        (f'{root}/train/anna/2_c1.JPG', 0, 0, 1),
        (f'{root}/train/anna/more/0_c7.jpg', 0, 0, 7),
        (f'{root}/train/bob/1_c0.jpg', 1, 1, 0),
    ]
    assert fields(dataset, 'caption', 'split', 'source')[0] == (
        None,
        'train',
        'mine',
    )
    assert dataset.labels.tolist() == [0, 0, 0, 1]
    assert not dataset.has_caption.any()
    assert dataset.num_ids == 2
    assert dataset.metainfo['label_of'] == {'anna': 0, 'bob': 1}


def test_queries_then_gallery(root):
    dataset = FolderDataset(root, 'test', camera=CAMERA)
    assert fields(dataset, 'split', 'pid', 'camid', 'label') == [
        ('query', 2, 0, -1),
        ('gallery', 2, 1, -1),
        ('gallery', 3, 1, -1),
    ]
    assert dataset.metainfo['identities'] == {2: 'dora', 3: 'emil'}


def test_order_of_files_does_not_matter(root, monkeypatch):
    expected = fields(FolderDataset(root), 'img_path', 'pid', 'label')
    listdir = os.listdir

    def shuffled(path):
        names = sorted(listdir(path))
        return random.Random(1).sample(names, len(names))

    monkeypatch.setattr(os, 'listdir', shuffled)
    assert fields(FolderDataset(root), 'img_path', 'pid', 'label') == expected


def test_whole_numbers_are_kept_as_identities(tmp_path):
    root = make_folder(tmp_path, ['train/0010/a.jpg', 'train/0009/a.jpg'])
    assert fields(FolderDataset(root), 'pid', 'label') == [(9, 0), (10, 1)]
    make_folder(tmp_path, ['query/9/a.jpg'])
    with pytest.raises(AnnotationError, match='0009, 9 are the same numbers'):
        FolderDataset(root)
    assert '0009, 9' in FolderDataset.find_problems(data_root=root)[0]


def test_camera_option(root, tmp_path, warnings):
    assert {c for (c,) in fields(FolderDataset(root), 'camid')} == {-1}
    FolderDataset(root, 'test')
    assert "needs same_camera='keep'" in warnings[-1]
    other = make_folder(tmp_path / 'b', ['train/x/cam03/1.jpg', 'train/x/cam12/1.jpg'])
    dataset = FolderDataset(other, camera=r'^cam(\d+)/')
    assert fields(dataset, 'camid') == [(3,), (12,)]


def test_paths_without_camera(root):
    make_folder(Path(root), ['query/dora/c3.jpg'])
    with pytest.raises(AnnotationError, match=r'1 images .*query/dora/c3\.jpg'):
        FolderDataset(root, camera=CAMERA)
    (problem,) = FolderDataset.find_problems(data_root=root, camera=CAMERA)
    assert 'finds no camera' in problem
    with pytest.raises(AnnotationError, match='8 images .*whole number'):
        FolderDataset(root, camera=r'(\.)')


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'camera': r'_c\d+'}, 'has 0 groups; expected one'),
        ({'camera': r'(_)(c)'}, 'has 2 groups'),
        ({'camera': '('}, 'not a regular expression'),
        ({'camera': 3}, 'not a regular expression'),
        ({'split': 'val'}, "no split 'val'.*'train', 'test'"),
    ],
)
def test_invalid_options(root, options, message):
    with pytest.raises(ValueError, match=message):
        FolderDataset(root, **options)
    with pytest.raises(ValueError, match=message):
        FolderDataset.find_problems(data_root=root, **options)


def test_files_that_are_not_images_are_skipped_with_a_warning(root, warnings):
    path = Path(root)
    for name in ('train/bob/.hidden.jpg', 'train/Thumbs.db', 'train/.git/a.jpg'):
        (path / name).parent.mkdir(exist_ok=True)
        (path / name).write_text('')
    assert len(FolderDataset(root)) == 4
    assert warnings == []
    (path / 'train/bob/a.heic').write_text('')
    write_image(path / 'gallery/stray.jpg', 'x')
    assert len(FolderDataset(root)) == 4
    (message,) = warnings
    assert 'skipped 2 files that are not images' in message
    assert 'train/bob/a.heic, gallery/stray.jpg' in message


def test_missing_folders(root, tmp_path):
    with pytest.raises(
        MissingDataError, match=r"nowhere' does not exist.*train/, query"
    ):
        FolderDataset(str(tmp_path / 'nowhere'))
    assert len(FolderDataset.find_problems(data_root=str(tmp_path / 'nowhere'))) == 1
    for name in ('query/dora/1_c0.jpg', 'query/dora', 'query'):
        path = Path(root) / name
        path.rmdir() if path.is_dir() else path.unlink()
    (Path(root) / 'train').rename(Path(root) / 'Train')
    (problem,) = FolderDataset.find_problems(data_root=root, split='test')
    assert "'query'; found: gallery 2. Expected images in query/<identity>/" in problem
    with pytest.raises(MissingDataError, match="nothing is in split 'train'"):
        FolderDataset(root)
    assert FolderDataset.find_problems(data_root=root, pipeline=[], verify=True)


def test_queries_without_any_match_are_an_error(tmp_path):
    root = make_folder(tmp_path, ['query/x/a.jpg', 'gallery/y/a.jpg'])
    with pytest.raises(MissingDataError, match='none of the 1 query identities'):
        FolderDataset(root, 'test')


def test_identities_in_training_and_test_are_warned_of(root, warnings):
    make_folder(Path(root), ['train/dora/1_c1.jpg'])
    FolderDataset(root, 'test', camera=CAMERA)
    assert 'both trained on and tested: dora' in warnings[0]


def test_unicode_names(tmp_path):
    root = make_folder(tmp_path / 'Fotos 1', ['train/Zoë Ω/写真 1_c2.jpg'])
    dataset = FolderDataset(root, camera=CAMERA, verify=True)
    assert dataset.metainfo['label_of'] == {'Zoë Ω': 0}
    assert fields(dataset, 'camid', 'source') == [(2, 'Fotos 1')]


def test_links_are_followed_and_circular_ones_refused(root, tmp_path):
    write_image(tmp_path / 'store/1_c0.jpg', 'x')
    (Path(root) / 'train/zoe').symlink_to(tmp_path / 'store')
    assert FolderDataset(root, camera=CAMERA, verify=True).num_ids == 3
    circle = Path(root) / 'train/anna/more/again'
    circle.symlink_to(Path(root) / 'train/anna')
    with pytest.raises(AnnotationError, match=r"more/again' is a link to .*Remove it"):
        FolderDataset(root)


def test_read_only_folders(root):
    folders = [path for path in [Path(root), *Path(root).rglob('*')] if path.is_dir()]
    for path in folders:
        path.chmod(0o555)
    try:
        assert len(FolderDataset(root, verify=True)) == 4
    finally:
        for path in folders:
            path.chmod(0o755)


@pytest.mark.parametrize('part', [0, 0.5])
def test_unreadable_images_are_listed(root, part):
    image = Path(root) / 'train/bob/1_c0.jpg'
    content = image.read_bytes()
    image.write_bytes(content[: int(part * len(content))])
    FolderDataset(root)
    with pytest.raises(UnreadableImageError, match=r'1 of 4 .*bob/1_c0\.jpg'):
        FolderDataset(root, verify=True)

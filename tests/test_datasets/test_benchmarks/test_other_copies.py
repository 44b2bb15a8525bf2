"""Copies of a benchmark not as its owners packed it: read, or a way is named."""

import logging
import re

import pytest
from mmengine.logging import MMLogger

from hplreid.datasets import (
    CUHK03NP,
    CUHKPEDES,
    MSMT17,
    DukeMTMCReID,
    FolderDataset,
    Market1501,
    MissingDataError,
    TableDataset,
)
from hplreid.datasets.doctor import examine, find_split_configs
from tests.benchmark_trees import (
    make_cuhk03_np,
    make_duke,
    make_merged_msmt17,
    make_msmt17,
)
from tests.helpers import (
    make_cuhk_pedes,
    make_market,
    read_entries,
    write_entries,
    write_image,
)

IMAGES = {
    'market': (Market1501, make_market),
    'duke': (DukeMTMCReID, make_duke),
    'cuhk03': (CUHK03NP, make_cuhk03_np),
    'msmt17': (MSMT17, make_msmt17),
    'merged': (MSMT17, make_merged_msmt17),
    'cuhk-pedes': (CUHKPEDES, make_cuhk_pedes),
}


@pytest.fixture
def lines(monkeypatch):
    """What is logged while the test runs."""
    found = []
    monkeypatch.setattr(
        MMLogger.get_current_instance(),
        'log',
        lambda level, message, **_: found.append((level, message)),
    )
    return found


def paths_of(dataset):
    return [dataset.get_data_info(i)['img_path'] for i in range(len(dataset))]


@pytest.mark.parametrize('name', IMAGES)
@pytest.mark.parametrize('split', ['train', 'test'])
def test_images_of_another_suffix(tmp_path, name, split):
    """They are the same items; without the option the message names it."""
    cls, make = IMAGES[name]
    make(tmp_path)
    expected = paths_of(cls(str(tmp_path), split, expected=None))
    for path in tmp_path.rglob('*'):
        if path.suffix in ('.jpg', '.png'):
            path.rename(path.with_suffix('.webp'))
    found = paths_of(cls(str(tmp_path), split, expected=None, suffix='.webp'))
    assert found == [path and re.sub(r'\.\w+$', '.webp', path) for path in expected]
    with pytest.raises(MissingDataError, match=r"set suffix='\.webp'"):
        cls(str(tmp_path), split, expected=None)
    with pytest.raises(ValueError, match=r'suffix must be one of \.jpg'):
        cls(str(tmp_path), split, expected=None, suffix='png')


def test_some_images_of_another_suffix_are_said(tmp_path, lines):
    make_market(tmp_path)
    write_image(tmp_path / 'bounding_box_train' / '0001_c1s1_000009_00.png', 'x')
    Market1501(str(tmp_path), expected=None)
    assert any("1 images in '" in line and 'are not read' in line for _, line in lines)


@pytest.mark.parametrize('name', IMAGES)
@pytest.mark.parametrize('depth', [1, 2])
def test_an_archive_in_a_folder_of_its_own_name(tmp_path, name, depth):
    cls, make = IMAGES[name]
    inner = tmp_path.joinpath(*['the data'] * depth)
    inner.mkdir(parents=True)
    make(inner)
    (tmp_path / 'other').mkdir()
    for problems in (
        cls.find_problems(str(tmp_path), 'train'),
        cls.find_problems(data_root=str(tmp_path), split='test'),
    ):
        (problem,) = problems
        assert problem.endswith(f"its sub-folder is: set data_root='{inner}'.")
    assert cls.find_problems(str(inner), 'train') == []


def test_own_folders_in_a_folder(tmp_path):
    write_image(tmp_path / 'mine' / 'train' / 'anna' / '1.jpg', 'x')
    (problem,) = FolderDataset.find_problems(str(tmp_path))
    assert f"Its sub-folder '{tmp_path / 'mine'}' has them" in problem


def test_paths_of_windows(tmp_path, lines):
    """With backslashes and a byte order mark; they are the same items."""
    make_cuhk_pedes(tmp_path)
    expected = paths_of(CUHKPEDES(str(tmp_path), expected=None))
    entries = read_entries(tmp_path)
    for entry in entries:
        entry['file_path'] = entry['file_path'].replace('/', '\\')
    write_entries(tmp_path, entries)
    file = tmp_path / 'reid_raw.json'
    file.write_bytes(b'\xef\xbb\xbf' + file.read_bytes())
    assert paths_of(CUHKPEDES(str(tmp_path), expected=None)) == expected
    (note,) = [line for level, line in lines if level == logging.WARNING]
    assert f'{len(entries)} of {len(entries)} paths have backslashes' in note


def test_tables_and_lists_of_windows(tmp_path, lines):
    write_image(tmp_path / 'a' / '1.jpg', 'x')
    (tmp_path / 't.csv').write_text('path,pid,split\na\\1.jpg,7,train\n')
    dataset = TableDataset(str(tmp_path / 't.csv'))
    assert paths_of(dataset) == [str(tmp_path / 'a' / '1.jpg')]
    assert any('1 of 1 paths have backslashes' in line for _, line in lines)
    make_msmt17(tmp_path / 'm')
    for file in (tmp_path / 'm').rglob('list_*.txt'):
        file.write_bytes(b'\xef\xbb\xbf' + file.read_bytes().replace(b'/', b'\\'))
    assert len(MSMT17(str(tmp_path / 'm'), expected=None))


def test_an_annotation_merged_with_itself(tmp_path, lines):
    make_cuhk_pedes(tmp_path)
    CUHKPEDES(str(tmp_path), 'test', expected=None)
    assert not any('again' in line for _, line in lines)
    entries = read_entries(tmp_path)
    write_entries(tmp_path, entries + entries)
    for split, number in (('train', 0), ('test', 1)):
        part = [e for e in entries if e['split'] == split]
        captions = sum(len(e['captions']) for e in part)
        images = captions if split == 'train' else len(part)
        CUHKPEDES(str(tmp_path), split, expected=None)
        said = f'{images} images listed again' + number * (
            f', {captions} captions listed again'
        )
        assert lines[-1][1].endswith(said)
    configs = find_split_configs(
        {'type': 'CUHKPEDES', 'data_root': str(tmp_path), 'split': 'test'}
    )
    report, *_ = examine('merged', configs)
    counts = {f.check: f.count for f in report.findings}
    assert counts['image listed twice'] == len(part)
    assert counts['caption twice'] == captions

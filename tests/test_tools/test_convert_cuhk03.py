"""tools/dataset_tools/convert_cuhk03.py on an archive in MATLAB's format."""

import importlib
import os
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from hplreid.datasets import CUHK03NP

TOOL = Path(__file__).resolve().parents[2] / 'tools/dataset_tools/convert_cuhk03.py'
# Raw names, their identities, and their parts of the new protocol
IMAGES = {
    '1_001_1_01.png': (7, 'train_idx'),
    '1_001_2_06.png': (7, 'train_idx'),
    '1_002_1_02.png': (9, 'query_idx'),
    '1_002_2_10.png': (9, 'query_idx'),
    '2_001_1_01.png': (12, 'gallery_idx'),
    '1_002_1_03.png': (9, 'gallery_idx'),
}


def image(name):
    """Return random pixels seeded by a raw name, higher than wide."""
    rng = np.random.default_rng(list(name.encode()))
    return rng.integers(256, size=(9, 5, 3), dtype=np.uint8)


@pytest.fixture
def call(monkeypatch, capfd):
    """Run the tool; return exit code and what it printed."""

    def call(*arguments):
        monkeypatch.setattr(sys, 'argv', [TOOL.name, *map(str, arguments)])
        code = None
        try:
            runpy.run_path(str(TOOL), run_name='__main__')
        except SystemExit as error:
            code = error.code
        printed = capfd.readouterr()
        return code, printed.out + printed.err

    return call


@pytest.fixture
def archive(tmp_path):
    """Write a raw archive of two camera pairs with two persons, column-major."""
    h5py = pytest.importorskip('h5py', reason='an optional dependency')
    path = tmp_path / 'cuhk-03.mat'
    with h5py.File(path, 'w') as file:
        cells = file.create_group('cells')
        empty = cells.create_dataset('empty', data=np.zeros(2, np.uint64))
        pairs = []
        for pair in (1, 2):
            persons = np.full((2, 10), empty.ref, dtype=h5py.ref_dtype)
            for name in IMAGES:
                camera_pair, person, _, index = map(int, name[:-4].split('_'))
                if camera_pair == pair:
                    stored = cells.create_dataset(name, data=image(name).T)
                    persons[person - 1, index - 1] = stored.ref
            table = cells.create_dataset(
                f'pair {pair}', data=persons.T, dtype=h5py.ref_dtype
            )
            pairs.append(table.ref)
        refs = np.array([pairs], dtype=h5py.ref_dtype)
        for detector in ('labeled', 'detected'):
            file.create_dataset(detector, data=refs, dtype=h5py.ref_dtype)
    write_splits(tmp_path)
    return path


def write_splits(folder, names=tuple(IMAGES)):
    def rows(part):
        return [i for i, (_, p) in enumerate(IMAGES.values(), 1) if p == part]

    config = {
        'filelist': np.array([[name] for name in names], dtype=object),
        'labels': np.array([[label] for label, _ in IMAGES.values()]),
        **{key: rows(key) for key in ('train_idx', 'query_idx', 'gallery_idx')},
    }
    for detector in ('labeled', 'detected'):
        savemat(folder / f'cuhk03_new_protocol_config_{detector}.mat', config)


def test_written_folders_are_read_by_the_dataset(archive, call, tmp_path):
    out = tmp_path / 'a folder' / 'cuhk03-np'
    code, printed = call(archive, '--splits', tmp_path, '--out', out)
    assert code is None
    assert f'{out / "labeled"}, train: 1 identities, 2 images' in printed
    assert sorted(os.listdir(out)) == [
        'detected',
        'labeled',
    ]  # no temporary folder is left
    train = CUHK03NP(str(out), detector='detected', expected=None)
    test = CUHK03NP(str(out), 'test', expected=None)
    items = [d.get_data_info(i) for d in (train, test) for i in range(len(d))]
    assert [
        (os.path.relpath(i['img_path'], out), i['pid'], i['camid']) for i in items
    ] == [
        ('detected/bounding_box_train/0007_c1_1.png', 7, 0),
        ('detected/bounding_box_train/0007_c2_6.png', 7, 1),
        ('labeled/query/0009_c1_2.png', 9, 0),
        ('labeled/query/0009_c2_10.png', 9, 1),
        ('labeled/bounding_box_test/0009_c1_3.png', 9, 0),
        ('labeled/bounding_box_test/0012_c1_1.png', 12, 0),
    ]
    for item, name in zip(items, [*list(IMAGES)[:4], '1_002_1_03.png'], strict=False):
        assert np.array_equal(np.asarray(Image.open(item['img_path'])), image(name))


def test_existing_output_is_kept(archive, call, tmp_path):
    existing = tmp_path / 'out' / 'labeled' / 'mine.txt'
    existing.parent.mkdir(parents=True)
    existing.write_text('x')
    _, printed = call(archive, '--splits', tmp_path, '--out', tmp_path / 'out')
    assert 'exists: remove it first' in printed
    assert os.listdir(existing.parent) == ['mine.txt']


def test_failure_leaves_no_output(archive, call, tmp_path):
    names = ['1_001_1_01.png', '1_001_2_07.png', *list(IMAGES)[2:]]
    write_splits(tmp_path, names)  # the cell of the second is empty
    _, printed = call(archive, '--splits', tmp_path, '--out', tmp_path / 'out')
    assert 'has no image for ImageLocation(pair=1, person=1, index=7' in printed
    assert os.listdir(tmp_path / 'out') == []


@pytest.mark.parametrize(
    ('name', 'message'),
    [
        ('3_001_1_01.png', 'has no image for ImageLocation'),
        ('1_000_1_01.png', "'1_000_1_01.png' is not <pair>"),
        ('woman.png', "'woman.png' is not <pair>_<person>"),
        ('1_001_2_06.png', 'uses an image twice'),
    ],
)
def test_invalid_names_in_the_split(archive, call, tmp_path, name, message):
    write_splits(tmp_path, [name, *list(IMAGES)[1:]])
    _, printed = call(archive, '--splits', tmp_path, '--out', tmp_path / 'out')
    assert message in printed


def test_invalid_files(archive, call, tmp_path):
    out = tmp_path / 'out'
    other = tmp_path / 'other.mat'
    other.write_text('no archive')
    _, printed = call(other, '--splits', tmp_path, '--out', out)
    assert 'is not an HDF5 file' in printed
    split = tmp_path / 'cuhk03_new_protocol_config_labeled.mat'
    savemat(split, {'labels': [1]})
    _, printed = call(archive, '--splits', tmp_path, '--out', out)
    assert 'is not a split of the new protocol' in printed
    split.write_bytes(archive.read_bytes())  # SciPy can't read HDF5
    _, printed = call(archive, '--splits', tmp_path, '--out', out)
    assert 'is not a split of the new protocol' in printed
    split.unlink()
    _, printed = call(archive, '--splits', tmp_path, '--out', out)
    assert 'config_labeled.mat' in printed
    assert 'does not exist' in printed


def test_without_h5py(call, tmp_path, monkeypatch):
    write_splits(tmp_path)
    (tmp_path / 'cuhk-03.mat').touch()
    original = importlib.import_module

    def refuse(name, package=None):
        if name == 'h5py':
            raise ImportError(name)
        return original(name, package)

    monkeypatch.setattr(importlib, 'import_module', refuse)
    _, printed = call(
        tmp_path / 'cuhk-03.mat', '--splits', tmp_path, '--out', tmp_path / 'out'
    )
    assert 'pip install "hplreid[cuhk03]"' in printed

"""Damaged files are read, or refused in words that a user can act on; never more."""

import json
import random
import re
import warnings
from collections import Counter

import numpy as np
import pytest

from hplreid.datasets import (
    CUHKPEDES,
    ICFGPEDES,
    LoadImage,
    RSTPReid,
    TableDataset,
    UnreadableImageError,
)
from hplreid.datasets.doctor.file_inspection import inspect_bytes
from hplreid.datasets.images.image_files import decode_image
from hplreid.utils.user_error import UserError
from tests.benchmark_trees import make_icfg_pedes, make_rstpreid
from tests.helpers import make_cuhk_pedes, write_image
from tests.test_datasets.damage import (
    cut,
    damage_csv,
    damage_image,
    damage_json,
    make_image,
)

SAMPLE = range(25)
WHOLE = range(1000)
# Damage after the last pixel, which Pillow alone may refuse
UNSEEN = ('flip', 'zero', 'cut', 'size', 'format')
BOTH = [
    pytest.param(SAMPLE, id='sample'),
    pytest.param(WHOLE, id='whole', marks=pytest.mark.exhaustive),
]


def record(outcomes, kind, read):
    """Count what came of a file, and return what was read; anything else is a bug."""
    message = ''
    try:
        found = read()
    except UserError as error:
        found, message = None, str(error)
    outcomes[kind, 'refused' if message else 'read'] += 1
    assert not message or 20 < len(message) < 5000
    return found


def report(outcomes, seeds):
    read = sum(n for (_, what), n in outcomes.items() if what == 'read')
    assert sum(outcomes.values()) == len(seeds)
    print(f'{len(seeds)} files: {read} read, {len(seeds) - read} refused', outcomes)
    assert 0 < read < len(seeds)


@pytest.mark.parametrize('seeds', BOTH)
def test_images(seeds, tmp_path):
    """What loads them and what the doctor says of them agree."""
    outcomes = Counter()
    path = tmp_path / 'a.jpg'
    for seed in seeds:
        kind, data = damage_image(seed)
        path.write_bytes(data)
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # of Pillow, about large sizes
            found = record(
                outcomes, kind, lambda: LoadImage()({'img_path': str(path)})['image']
            )
            fault = inspect_bytes(data).fault
        if found is None:
            assert fault in ('empty file', 'no image', 'broken image'), (seed, kind)
        else:
            assert found.ndim == 3
            assert found.shape[0] == 3
            assert kind in ('flip', 'zero', 'cut', 'size') or fault is None, (
                seed,
                kind,
            )
    report(outcomes, seeds)


@pytest.mark.parametrize('kind', ['JPEG', 'PNG'])
def test_images_that_lack_pixels_are_never_read(kind, tmp_path):
    rng = random.Random(0)
    path = tmp_path / 'a.jpg'
    for _ in range(20):
        data = make_image(rng, kind)
        path.write_bytes(cut(rng, data[: len(data) * 9 // 10]))
        with pytest.raises(UnreadableImageError):
            LoadImage()({'img_path': str(path)})
    whole = make_image(rng, kind)
    path.write_bytes(whole)
    pixels = LoadImage()({'img_path': str(path)})['image'].permute(1, 2, 0).numpy()
    np.testing.assert_array_equal(pixels, np.array(decode_image(whole, 'a')))


def all_items(dataset):
    return [dataset.get_data_info(i) for i in range(len(dataset))]


@pytest.mark.parametrize('seeds', BOTH)
def test_annotations(seeds, tmp_path):
    folders = {'train': ['train/0001', 'test/0001'], 'test': ['train/0002']}
    makers = {
        CUHKPEDES: make_cuhk_pedes,
        ICFGPEDES: lambda root: make_icfg_pedes(root, folders),
        RSTPReid: make_rstpreid,
    }
    trees = []
    for cls, make in makers.items():
        root = tmp_path / cls.__name__
        root.mkdir()
        make(root)
        file = root / cls.annotation_files[0]
        expected = all_items(cls(str(root), expected=None))
        trees.append((cls, root, file, json.loads(file.read_text()), expected))
    outcomes = Counter()
    for seed in seeds:
        cls, root, file, entries, expected = trees[seed % len(trees)]
        kind, data = damage_json(seed, entries)
        file.write_bytes(data)
        found = record(
            outcomes, kind, lambda cls=cls, root=root: cls(str(root), expected=None)
        )
        if found is not None:
            # Whatever is read is of the sound entries, but for what was changed
            paths = {item['img_path'] for item in expected}
            assert {item['img_path'] for item in all_items(found)} <= paths, (
                seed,
                kind,
            )
        if kind == 'mark':
            assert all_items(found) == expected
    report(outcomes, seeds)


@pytest.mark.parametrize('seeds', BOTH)
@pytest.mark.parametrize('suffix', ['.csv', '.json', '.jsonl'])
def test_tables(seeds, suffix, tmp_path):
    rows = [
        {
            'path': f'{i}.jpg',
            'pid': f'p{i // 2}',
            'split': 'train',
            'caption': f'man {i}',
        }
        for i in range(6)
    ]
    for row in rows:
        write_image(tmp_path / row['path'], 'x', (4, 8))
    table = tmp_path / f't{suffix}'
    outcomes = Counter()
    for seed in seeds:
        if suffix == '.csv':
            kind, data = damage_csv(seed, rows)
        else:
            kind, data = damage_json(seed, rows)
        if suffix == '.jsonl':
            data = re.sub(rb'\[(?={)|(?<=})\]', b'', data).replace(b'}, {', b'}\n{')
        table.write_bytes(data)
        found = record(outcomes, kind, lambda: TableDataset(str(table)))
        if found is not None:
            paths = {str(tmp_path / row['path']) for row in rows}
            assert {item['img_path'] for item in all_items(found)} <= paths, (
                seed,
                kind,
            )
        if kind == 'mark':
            assert len(found) == len(rows)
    report(outcomes, seeds)

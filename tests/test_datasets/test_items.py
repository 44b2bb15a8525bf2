"""Running the pipeline on items: seeds, workers and unreadable files."""

import random

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from hplreid.datasets import (
    CUHKPEDES,
    CaptionSampler,
    Market1501,
    UnreadableImageError,
    reid_collate,
)
from hplreid.datasets.seeding import preserve_random_state, seed_all
from tests.helpers import make_cuhk_pedes, make_market, market_name

PIPELINE = [
    {'type': 'LoadImage'},
    {'type': 'ResizeImage', 'size': (32, 16)},
    {'type': 'RandomFlip'},
    {'type': 'PadRandomCrop', 'padding': 4},
    {'type': 'RandomErasing'},
    {'type': 'TokenizeCaption'},
    {'type': 'MaskCaption', 'prob': 0.5},
    {'type': 'PackReIDInputs'},
]


@pytest.fixture
def dataset(tmp_path):
    root = make_cuhk_pedes(tmp_path, num_ids=6)
    return CUHKPEDES(str(root), pipeline=PIPELINE, expected=None)


def draw_all():
    return random.random(), np.random.rand(), float(torch.rand(1))


def draw_after(seed):
    seed_all(seed)
    return draw_all()


def test_random_state_is_restored():
    expected = draw_after(5)
    seed_all(5)
    with preserve_random_state():
        inside = draw_after(11)
        assert draw_after(12) != inside
        assert draw_after(11) == inside
    assert draw_all() == expected
    seed_all(5)
    with pytest.raises(TypeError), preserve_random_state():
        seed_all('eleven')
    assert draw_all() == expected


def test_seed_all_does_not_seed_accelerators(monkeypatch):
    monkeypatch.setattr(torch, 'manual_seed', None)
    monkeypatch.setattr(torch.cuda, 'manual_seed_all', None)
    seed_all(3)


def test_seed_determines_the_augmentation(dataset):
    first = dataset[3, 77]
    torch.rand(5)
    again = dataset[3, 77]
    assert torch.equal(first['inputs']['image'], again['inputs']['image'])
    assert torch.equal(first['inputs']['caption'], again['inputs']['caption'])
    others = [dataset[3, seed]['inputs'] for seed in range(8)]
    assert len({o['image'].numpy().tobytes() for o in others}) > 4
    assert len({o['caption'].numpy().tobytes() for o in others}) > 4


def test_random_state_is_preserved(dataset):
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    _ = dataset[3, 77]
    assert torch.equal(torch.rand(1), expected)
    torch.manual_seed(0)
    _ = dataset[3]  # without a seed, the global state is used
    assert not torch.equal(torch.rand(1), expected)


def test_batch_equals_its_items(dataset):
    def images(samples):
        return [sample['inputs']['image'] for sample in samples]

    indices = [(3, 77), (0, 5), (3, 78)]
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    found = images(dataset.__getitems__(indices))
    assert torch.equal(torch.rand(1), expected)
    for image, index in zip(found, indices, strict=True):
        assert torch.equal(image, dataset[index]['inputs']['image'])
    torch.manual_seed(0)
    first = images(dataset.__getitems__([3, 3, 3, 3, 3]))
    again = images(dataset.__getitems__([3, 3, 3, 3, 3]))
    assert not torch.equal(torch.stack(first), torch.stack(again))
    (mixed,) = images([dataset.__getitems__([3, (3, 77)])[1]])
    assert torch.equal(mixed, found[0])


def test_workers_do_not_change_batches(dataset):
    def batches(num_workers):
        loader = DataLoader(
            dataset,
            batch_size=4,
            sampler=CaptionSampler(dataset, seed=3, batch_size=4),
            num_workers=num_workers,
            collate_fn=reid_collate,
        )
        return [batch['inputs'] for batch in loader]

    no_worker, two_workers = batches(0), batches(2)
    assert len(no_worker) == len(two_workers) == 6
    for a, b in zip(no_worker, two_workers, strict=True):
        assert all(torch.equal(a[name], b[name]) for name in a)


def test_unreadable_image_is_an_error(tmp_path):
    make_market(tmp_path)
    path = tmp_path / 'bounding_box_train' / market_name(1, 1, 0)
    path.write_bytes(path.read_bytes()[:400])
    dataset = Market1501(str(tmp_path), pipeline=PIPELINE, expected=None)
    with pytest.raises(UnreadableImageError, match=f"{path}.*can't be decoded.*400"):
        _ = dataset[0]
    loader = DataLoader(dataset, batch_size=4, num_workers=1, collate_fn=reid_collate)
    with pytest.raises(UnreadableImageError, match=path.name):
        list(loader)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=f'{path}.*does not exist'):
        _ = dataset[0]


def test_items_are_copies(dataset):
    dataset.get_data_info(0)['pid'] = 99
    dataset.metainfo['num_ids'] = 99
    assert dataset.get_data_info(0)['pid'] == 1
    assert dataset.num_ids == 6

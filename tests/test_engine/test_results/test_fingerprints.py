"""Hashes change with what they speak of, and with nothing else."""

import pytest
import torch
from mmengine.config import Config
from torch import nn

from hplreid.datasets.items import ItemDataset
from hplreid.engine.results import hash_config, hash_dataset, hash_file, hash_weights


def dataset(folder='/data/set', **changed):
    items = [
        dict(
            img_path=f'{folder}/{split}/{i}.jpg',
            pid=i,
            camid=i % 2,
            caption=f'person {i}',
            split=split,
            label=-1,
            source='x',
        )
        for i, split in enumerate(('query', 'gallery', 'gallery'))
    ]
    items[1].update(changed)
    return ItemDataset(items, [], {})


def test_a_dataset_has_one_hash_wherever_it_lies():
    assert hash_dataset(dataset()) == hash_dataset(dataset('/mnt/other/set'))
    assert hash_dataset(dataset()) == hash_dataset(dataset('relative'))


@pytest.mark.parametrize(
    'changed',
    [
        dict(img_path='/data/set/gallery/9.jpg'),
        dict(img_path=None),
        dict(pid=9),
        dict(camid=9),
        dict(caption='person  1'),
        dict(caption=None),
        dict(split='query'),
    ],
    ids=str,
)
def test_every_part_of_an_item_counts(changed):
    assert hash_dataset(dataset(**changed)) != hash_dataset(dataset())


def test_what_a_protocol_does_not_read_does_not_count():
    assert hash_dataset(dataset(source='y', label=3)) == hash_dataset(dataset())


def test_a_dataset_without_a_list_of_items_has_no_hash():
    assert hash_dataset([1, 2]) is None
    captions = ItemDataset([dict(img_path=None, label=-1, caption='a')], [], {})
    assert len(hash_dataset(captions)) == 64


def test_weights_have_one_hash_in_any_file(tmp_path):
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)).to(torch.bfloat16)
    other = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)).to(torch.bfloat16)
    assert hash_weights(model) != hash_weights(other)
    other.load_state_dict(model.state_dict())
    assert hash_weights(model) == hash_weights(other)
    other[1].num_batches_tracked += 1  # a buffer counts as well
    assert hash_weights(model) != hash_weights(other)
    torch.save(model.state_dict(), tmp_path / 'a.pth')
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'b.pth')
    assert hash_file(tmp_path / 'a.pth') != hash_file(tmp_path / 'b.pth')


def test_a_config_is_hashed_without_its_place():
    values = dict(model=dict(type='X', sizes=(1, 2)), work_dir='a', resume=True)
    one = hash_config(Config(values))
    assert one == hash_config(Config(dict(values, work_dir='b', load_from='c.pth')))
    assert one != hash_config(Config(dict(values, model=dict(type='Y'))))

"""Selecting the splits of configs and of ``CLASS:FOLDER``."""

import pytest

from hplreid.datasets import Market1501
from hplreid.datasets.doctor import find_split_configs, parse_dataset
from hplreid.datasets.doctor.split_selection import SplitConfig, drop_duplicates


def test_splits_of_configs_are_found_once():
    t2i = {'type': 'CUHKPEDES', 'data_root': 'a'}
    i2i = {'type': 'hplreid.Market1501', 'data_root': './b', 'name': 'B'}
    joint = {'type': 'JointDataset', 't2i': t2i, 'i2i': i2i}
    other = {'type': 'MSMT17', 'data_root': 'c', 'pipeline': [{'type': 'LoadImage'}]}
    concat = {'type': 'ConcatReIDDataset', 'datasets': [joint, other]}
    test = {'type': 'Market1501', 'data_root': 'b', 'split': 'test'}
    configs = drop_duplicates(
        [
            *find_split_configs(concat),
            *find_split_configs(joint),
            *find_split_configs(test, 'keep'),
        ]
    )
    assert [(c.cls.__name__, c.split, c.same_camera) for c in configs] == [
        ('CUHKPEDES', 'train', 'drop'),
        ('Market1501', 'train', 'drop'),
        ('MSMT17', 'train', 'drop'),
        ('Market1501', 'test', 'keep'),
    ]
    assert configs[1].source == configs[3].source
    assert 'pipeline' not in configs[2].options
    with pytest.raises(KeyError, match='Nope'):
        find_split_configs({'type': 'Nope'})


@pytest.mark.parametrize('text', ['data/x', 'Nope:data/x', 'JointDataset:x', ':x', 'x'])
def test_invalid_target_lists_the_classes(text):
    with pytest.raises(ValueError, match='CLASS:FOLDER.*CUHKPEDES.*Market1501'):
        parse_dataset(text, {})


def test_default_split_is_train():
    assert SplitConfig(Market1501).split == 'train'

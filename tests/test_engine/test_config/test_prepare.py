"""Datasets and caches are made as the config lists them."""

import json

import pytest
from mmengine.config import Config

from hplreid.engine.config import prepare
from tests.helpers import make_market


@pytest.fixture
def made(monkeypatch):
    calls = []
    monkeypatch.setitem(
        prepare.PREPARERS, 'SynthPeds', lambda config, **options: calls.append(options)
    )
    return calls


def test_preparers_run_with_their_arguments(made):
    config = Config(
        dict(
            data_preparers=[
                dict(type='SynthPeds', out='a'),
                dict(type='SynthPeds', out='b', size='tiny', seed=3),
            ]
        )
    )
    prepare.prepare_data(config)
    assert made == [dict(out='a'), dict(out='b', size='tiny', seed=3)]


def test_only_the_first_process_of_a_machine_makes_data(made, monkeypatch):
    config = Config(dict(data_preparers=[dict(type='SynthPeds', out='a')]))
    monkeypatch.setenv('LOCAL_RANK', '1')
    prepare.prepare_data(config)
    assert made == []


def test_without_preparers_nothing_is_made(made):
    prepare.prepare_data(Config({}))
    assert made == []


def test_an_image_cache_is_made_only_if_the_config_has_one(tmp_path, monkeypatch):
    root = make_market(tmp_path / 'market')
    pipeline = [dict(type='LoadImage'), dict(type='ResizeImage', size=(8, 4))]
    dataset = dict(type='Market1501', data_root=str(root), expected=None)
    config = dict(
        data_preparers=[dict(type='ImageCache')],
        train_dataloader=dict(dataset=dict(dataset, pipeline=pipeline)),
    )
    prepare.prepare_data(Config(config))
    assert not (tmp_path / 'cache').exists()
    cached = Config({**config, 'image_cache': str(tmp_path / 'cache')})
    prepare.prepare_data(cached)
    (index,) = (tmp_path / 'cache').glob('*.json')
    assert len(json.loads(index.read_text())['pictures']) == 16
    step = cached.train_dataloader.dataset.pipeline[0]
    assert step == dict(
        type='LoadCachedImage', cache=str(tmp_path / 'cache'), size=(8, 4)
    )


def test_unknown_preparers_are_errors():
    with pytest.raises(KeyError, match='Synth.*expected one of.*SynthPeds'):
        prepare.prepare_data(Config(dict(data_preparers=[dict(type='Synth')])))

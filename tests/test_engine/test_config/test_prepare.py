"""Data is made where it is asked for; identities are counted where it is needed."""

import json

import pytest
from mmengine.config import Config

from hplreid.engine.config import prepare
from tests.helpers import make_market
from tests.test_engine.engine_toy import toy_config


@pytest.fixture
def made(monkeypatch):
    calls = []
    monkeypatch.setitem(
        prepare.PREPARERS, 'SynthPeds', lambda config, **options: calls.append(options)
    )
    return calls


def test_data_is_made_as_listed(made):
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


def test_the_first_process_of_a_machine_makes_it(made, monkeypatch):
    config = Config(dict(data_preparers=[dict(type='SynthPeds', out='a')]))
    monkeypatch.setenv('LOCAL_RANK', '1')
    prepare.prepare_data(config)
    assert made == []


def test_nothing_is_made_unasked(made):
    prepare.prepare_data(Config({}))
    assert made == []


def test_a_cache_is_made_after_the_images_and_only_where_one_is_wanted(
    tmp_path, monkeypatch
):
    root = make_market(tmp_path / 'market')
    pipeline = [dict(type='LoadImage'), dict(type='ResizeImage', size=(8, 4))]
    dataset = dict(type='Market1501', data_root=str(root), expected=None)
    config = dict(
        data_preparers=[dict(type='ImageCache')],
        train_dataloader=dict(dataset=dict(dataset, pipeline=pipeline)),
    )
    prepare.prepare_data(Config(config))
    assert not (tmp_path / 'cache').exists()
    wanting = Config({**config, 'image_cache': str(tmp_path / 'cache')})
    prepare.prepare_data(wanting)
    (index,) = (tmp_path / 'cache').glob('*.json')
    assert len(json.loads(index.read_text())['images']) == 16
    step = wanting.train_dataloader.dataset.pipeline[0]
    assert step == dict(
        type='LoadCachedImage', cache=str(tmp_path / 'cache'), size=(8, 4)
    )


def test_unknown_preparers_are_named():
    with pytest.raises(KeyError, match='Synth.*expected one of.*SynthPeds'):
        prepare.prepare_data(Config(dict(data_preparers=[dict(type='Synth')])))


def test_identities_are_counted(tmp_path):
    config = toy_config(tmp_path)
    config.model.pop('num_ids')
    prepare.fill_num_ids(config)
    assert config.model.num_ids == 3


def test_a_number_that_is_stated_stays(tmp_path):
    config = toy_config(tmp_path)
    config.model.num_ids = 17
    prepare.fill_num_ids(config)
    assert config.model.num_ids == 17


def test_a_model_that_does_not_ask_is_not_told():
    config = Config(dict(model=dict(type='BaseDataPreprocessor')))
    prepare.fill_num_ids(config)
    assert 'num_ids' not in config.model


def test_the_first_stage_says_which_data(tmp_path):
    config = toy_config(tmp_path)
    config.model.pop('num_ids')
    config.train_dataloader.dataset.type = 'NoSuchData'
    config.train_cfg.stages.construct.train_dataloader = dict(
        dataset=dict(type='ToyNumbers')
    )
    prepare.fill_num_ids(config)
    assert config.model.num_ids == 3

"""Models by file, config or name; nothing random, nothing that a file names runs."""

import time
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

import hplreid
from hplreid.apis import ModelError, ModelNameError, get_model, list_models
from hplreid.apis.model_names import read_metafiles
from hplreid.engine.config import ConfigError, read_config
from hplreid.utils.checkpoints.checkpoint import (
    CheckpointError,
    MissingCheckpointError,
    read_checkpoint,
)

ROOT = Path(__file__).resolve().parents[2]


def test_names_are_those_of_the_configs():
    names = list_models()
    folders = [p for p in (ROOT / 'configs').iterdir() if p.name != '_base_']
    assert names == sorted(p.stem for f in folders for p in f.glob('*.py'))
    assert 'hpl_vitb16_joint' in list_models('hpl*', task='t2i')
    assert list_models('nothing*') == []
    assert set(list_models(task='i2i')) | set(list_models(task='t2i')) == set(names)
    with pytest.raises(ValueError, match="task='I2I'"):
        list_models(task='I2I')


def test_tasks_of_metafiles_are_those_that_configs_test():
    for name, found in read_metafiles().items():
        evaluators = read_config(str(found.config)).test_evaluator
        assert {e.task for e in evaluators.values()} == found.tasks, name


def test_what_the_training_begins_with_is_a_model_where_nothing_is_random():
    model = get_model('clip_tiny_synthpeds-t2i_sdm', 'pretrained')
    again = get_model('clip_tiny_synthpeds-t2i_sdm', 'pretrained')
    for name, value in model.state_dict().items():
        assert torch.equal(value, again.state_dict()[name])
    for name in ('bot_tiny_synthpeds', 'hpl_tiny_synthpeds'):  # u has noise
        with pytest.raises(ModelError, match='are random before training'):
            get_model(name, 'pretrained')


def test_weights_must_be_given_and_fit(tiny_runs):
    with pytest.raises(ModelError, match='No weights of .*are published'):
        get_model('hpl_tiny_synthpeds')
    published, _ = tiny_runs('HPL').published
    with pytest.raises(CheckpointError, match='is of another model'):
        get_model('bot_tiny_synthpeds', published)
    with pytest.raises(ModelError, match='file of weights already'):
        get_model(published, published)
    with pytest.raises(MissingCheckpointError, match='nowhere.pth'):
        get_model('nowhere.pth')
    with pytest.raises(ModelNameError, match="Did you mean 'hpl_tiny_synthpeds'"):
        get_model('hpl_tiny_synthped')
    with pytest.raises(ConfigError, match='does not exist'):
        get_model('configs/none.py', published)


def test_a_file_without_its_config_needs_one(tmp_path):
    torch.save(dict(state_dict={'a': torch.ones(1)}), tmp_path / 'a.pth')
    with pytest.raises(CheckpointError, match='has no config in it'):
        get_model(tmp_path / 'a.pth')


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda c: c.model.update(type='os.system'), "names 'os.system'"),
        (lambda c: c.model.update(type='this'), "names 'this'"),
        (
            lambda c: c.model.image_encoder.update(type='subprocess.Popen', args='x'),
            "names 'subprocess.Popen'",
        ),
        (
            lambda c: c.test_dataloader.i2i.dataset.update(type='os.system'),
            "names 'os.system'",
        ),
        (
            lambda c: c.model.image_encoder.update(arch='hf-hub:some/body'),
            "the address arch='hf-hub:some/body'",
        ),
    ],
)
def test_what_a_file_names_is_not_run(tiny_runs, tmp_path, change, message):
    content = read_checkpoint(tiny_runs('HPL').checkpoint)
    config = Config(tiny_runs('HPL').config.to_dict())
    change(config)
    content['meta'] = dict(content['meta'], cfg=config.pretty_text)
    torch.save(content, tmp_path / 'a.pth')
    with pytest.raises(CheckpointError, match=message):
        hplreid.ReIDInferencer(tmp_path / 'a.pth')


def test_the_source_of_a_config_is_not_executed(tiny_runs, tmp_path):
    content = read_checkpoint(tiny_runs('HPL').checkpoint)
    mark = tmp_path / 'mark'
    content['meta'] = dict(cfg=f"open({str(mark)!r}, 'w')\nmodel = dict(type=f())")
    torch.save(content, tmp_path / 'a.pth')
    with pytest.raises(CheckpointError, match='no config in it'):
        get_model(tmp_path / 'a.pth')
    assert not mark.exists()


def test_listing_models_is_quick():
    read_metafiles.cache_clear()
    start = time.perf_counter()
    list_models()
    assert time.perf_counter() - start < 5

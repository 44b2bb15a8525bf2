"""Each flag changes the config as documented."""

import os

import pytest
from mmengine.config import Config

from hplreid.engine.config import flags
from tests.test_engine.engine_toy import toy_config


@pytest.mark.parametrize(
    ('flag', 'own', 'expected'),
    [
        ('a', 'b', 'a'),
        (None, 'b', 'b'),
        (None, None, os.path.join('work_dirs', 'my_config')),
    ],
)
def test_work_dir(tmp_path, flag, own, expected):
    path = tmp_path / 'my_config.py'
    path.write_text(f'work_dir = {own!r}' if own else '')
    config = Config.fromfile(path)
    flags.set_work_dir(config, flag)
    assert config.work_dir == expected


@pytest.mark.parametrize(
    ('flag', 'expected'),
    [(None, (False, 'x')), ('auto', (True, None)), ('a.pth', (True, 'a.pth'))],
)
def test_resume(flag, expected):
    config = Config(dict(resume=False, load_from='x'))
    flags.set_resume(config, flag)
    assert (config.resume, config.load_from) == expected


def test_launcher(monkeypatch):
    monkeypatch.setattr(os, 'environ', {})
    config = Config({})
    flags.set_launcher(config, 'pytorch', 3)
    assert config.launcher == 'pytorch'
    assert os.environ['LOCAL_RANK'] == '3'
    flags.set_launcher(config, 'pytorch', 5)  # torchrun's variable has priority
    assert os.environ['LOCAL_RANK'] == '3'


def test_amp_changes_all_stages(tmp_path):
    config = toy_config(tmp_path)
    config.optim_wrapper = dict(type='OptimWrapper', clip_grad=dict(max_norm=1))
    config.train_cfg.stages.align.optim_wrapper.update(
        type='AutocastOptimWrapper', precision='fp32'
    )
    flags.set_amp(config)
    assert config.optim_wrapper == dict(
        type='AutocastOptimWrapper', precision='auto', clip_grad=dict(max_norm=1)
    )
    stages = config.train_cfg.stages
    assert stages.align.optim_wrapper.precision == 'auto'
    assert stages.construct.optim_wrapper.keys() == {'optimizer'}


def test_seed():
    config = Config(dict(randomness=dict(seed=1, deterministic=True)))
    flags.set_seed(config, None)
    assert config.randomness.seed == 1
    flags.set_seed(config, 0)
    assert config.randomness == dict(seed=0, deterministic=True)
    empty = Config({})
    flags.set_seed(empty, 5)
    assert empty.randomness.seed == 5


def test_no_validation():
    keys = ('val_cfg', 'val_dataloader', 'val_evaluator')
    config = Config({key: dict(a=1) for key in keys})
    flags.disable_validation(config)
    assert [config[key] for key in keys] == [None] * 3


def loaders(**train):
    return Config(
        dict(
            train_dataloader=dict(dataset={}, **train),
            val_dataloader=None,
            test_dataloader=dict(
                a=dict(dataset={}, num_workers=2),
                b=dict(dataset={}, num_workers=0, persistent_workers=True),
            ),
        )
    )


def test_loader_options():
    config = loaders(num_workers=4, pin_memory=True)
    flags.set_loader_options(config)
    assert config.train_dataloader.pin_memory is True
    assert config.train_dataloader.persistent_workers is True
    assert config.test_dataloader.a.persistent_workers is True
    assert config.test_dataloader.b.persistent_workers is False  # no workers


def test_loader_options_are_disabled():
    config = loaders(num_workers=4, pin_memory=True, persistent_workers=True)
    flags.set_loader_options(config, pin_memory=False, persistent_workers=False)
    every = [config.train_dataloader, *config.test_dataloader.values()]
    assert {loader.pin_memory for loader in every} == {False}
    assert {loader.persistent_workers for loader in every} == {False}


def test_ranked_lists_are_drawn_once():
    config = Config({})
    flags.draw_ranked_lists(config)
    flags.draw_ranked_lists(config)
    assert config.custom_hooks == [dict(type='RankedListHook')]

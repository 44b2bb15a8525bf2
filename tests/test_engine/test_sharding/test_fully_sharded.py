"""What the wrapper refuses, before a training and in it."""

import pytest
import torch
from mmengine.config import Config
from torch import nn

from hplreid.engine import AutocastOptimWrapper, ReIDFullySharded
from hplreid.engine.config.check import ConfigError, check_config
from hplreid.engine.precision import Precision
from hplreid.engine.sharding import find_sharding_problems, fully_sharded
from hplreid.engine.sharding.fully_sharded import ShardingError
from hplreid.engine.sharding.shards import Shards

from .sharded_toy import SHARDED, needs_fully_shard

SGD = dict(type='SGD', lr=0.1, fused=True)


@pytest.mark.parametrize(
    ('asked', 'message'),
    [
        (dict(compile=True), 'compile=True'),
        (dict(runner_type='Runner'), "runner_type='Runner'"),
        (dict(custom_hooks=[dict(type='EMAHook')]), 'custom_hooks.0 (EMAHook)'),
        (
            dict(
                custom_hooks=[
                    dict(type='ProgressHook'),
                    dict(type='EMAHook', ema_type='StochasticWeightAverage'),
                ]
            ),
            'custom_hooks.1 (EMAHook)',
        ),
        (
            dict(optim_wrapper=dict(type='AmpOptimWrapper', optimizer=dict(SGD))),
            "optim_wrapper.type='AmpOptimWrapper'",
        ),
        (
            dict(
                train_cfg=dict(stages=dict(a=dict(optim_wrapper=dict(optimizer=SGD))))
            ),
            'train_cfg.stages.a.optim_wrapper.optimizer.fused=True',
        ),
        (
            dict(model_wrapper_cfg=dict(SHARDED, find_unused_parameters=True)),
            'model_wrapper_cfg.find_unused_parameters=True',
        ),
    ],
)
def test_what_does_not_work_with_shards_is_refused(asked, message):
    config = dict(dict(model_wrapper_cfg=SHARDED), **asked)
    found = find_sharding_problems(config)
    (problem,) = (p for p in found if p.startswith(message))
    assert "can't be had with model_wrapper_cfg.type='ReIDFullySharded': " in problem
    assert problem.endswith("Remove it, or take type='ReIDDataParallel'.")
    assert not find_sharding_problems(dict(config, model_wrapper_cfg=None))


@needs_fully_shard
def test_the_check_of_a_config_asks_for_them():
    with pytest.raises(ConfigError, match=r"1\. compile=True can't be had"):
        check_config(Config(dict(compile=True, model_wrapper_cfg=SHARDED)))
    check_config(Config(dict(model_wrapper_cfg=SHARDED)))


def test_an_old_release_of_pytorch_is_refused(monkeypatch):
    monkeypatch.setattr(fully_sharded.torch, '__version__', '2.6.0+cu124')
    (problem,) = find_sharding_problems(dict(model_wrapper_cfg=SHARDED))
    assert problem.startswith('PyTorch 2.6.0+cu124 can')
    assert 'its fully_shard is that of 2.7 on' in problem


@needs_fully_shard
def test_a_loss_scaler_is_refused_where_the_device_would_choose_it(monkeypatch):
    fp16 = Precision('fp16', torch.device('cuda'))
    monkeypatch.setattr(fully_sharded, 'choose_precision', lambda _: fp16)
    optim = dict(precision='auto')
    (problem,) = find_sharding_problems(
        dict(model_wrapper_cfg=SHARDED, optim_wrapper=optim)
    )
    assert problem.startswith("optim_wrapper.precision='auto' can")
    assert 'bf16 needs none' in problem


def test_a_loop_that_divides_nothing_is_an_error():
    model = nn.BatchNorm1d(2, affine=True, track_running_stats=False)
    wrapped = ReIDFullySharded(model)  # without buffers nothing is sent
    wrapper = AutocastOptimWrapper(
        optimizer=torch.optim.SGD(model.parameters(), lr=0.1)
    )
    with pytest.raises(ShardingError, match="train_cfg.type='StagedTrainLoop'"):
        wrapped.train_step({}, wrapper)
    with pytest.raises(ValueError, match='find_unused_parameters=False alone'):
        ReIDFullySharded(model, find_unused_parameters=True)


def test_rows_of_each_process_are_those_of_pytorch():
    """Chunks of equal size but for the last; what is left over has none."""
    whole = torch.arange(10.0).reshape(5, 2)
    shards = object.__new__(Shards)
    shards._world = 4
    found = []
    for rank in range(4):
        shards._rank = rank
        found.append(shards._own_rows(whole)[:, 0].tolist())
    assert found == [[0, 2], [4, 6], [8], []]

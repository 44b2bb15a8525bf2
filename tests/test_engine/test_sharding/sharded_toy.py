"""Runs of the toy model whose weights are in shards, alone or beside other kinds."""

import os
import random
import signal
from copy import deepcopy
from pathlib import Path

import mmengine.runner.runner
import numpy as np
import pytest
import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from torch import nn

from hplreid.engine.data_parallel import unwrap
from hplreid.engine.runner import ReIDRunner
from hplreid.engine.sharding.fully_sharded import FIRST_TORCH
from hplreid.registry import HOOKS, MODELS
from hplreid.utils.user_error import UserError
from tests.test_engine.engine_toy import BATCH, ToyModel, toy_config

SHARDED = dict(type='ReIDFullySharded')
needs_fully_shard = pytest.mark.skipif(
    tuple(int(part) for part in torch.__version__.split('.')[:2]) < FIRST_TORCH,
    reason=f'needs PyTorch {FIRST_TORCH[0]}.{FIRST_TORCH[1]}',
)


@MODELS.register_module()
class ToyWithScalar(ToyModel):
    """A toy model that learns a scalar, which can't be divided, and a running mean."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.scale = nn.Parameter(torch.tensor(1.5))
        self.register_buffer('mean', torch.zeros(3))

    def forward(self, inputs, label, mode='loss'):
        if not self.dropout.p:
            # Nothing is random, also where another number of processes goes on
            random.seed(0)
            np.random.seed(0)
        outputs = super().forward(inputs, label, mode)
        if mode == 'loss':
            self.mean.mul_(0.9).add_(0.1 * self.prompt.weight.detach().mean(0))
            outputs['loss_scale'] = (self.scale * self.tower[2].bias).square().sum()
        return outputs


@HOOKS.register_module()
class SharesHook(Hook):
    """Keeps how many elements of parameters and states this process has."""

    def __init__(self):
        self.counts = []

    def after_train_epoch(self, runner):
        groups = runner.optim_wrapper.optimizer.param_groups
        states = runner.optim_wrapper.optimizer.state
        owned = list(unwrap(runner.model).parameters())
        moments = [
            states[p]['exp_avg']
            for group in groups
            for p in group['params']
            if p in states
        ]
        self.counts.append(tuple(sum(map(local_size, x)) for x in (owned, moments)))


@HOOKS.register_module()
class SignalHook(Hook):
    """Has the second process be killed, or both asked to stop, before a step."""

    def __init__(self, number):
        self.number = number

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == 7 and (self.number != signal.SIGKILL or get_rank() == 1):
            os.kill(os.getpid(), self.number)


def local_size(tensor):
    """Return the number of elements of a tensor that this process has."""
    return getattr(tensor, '_local_tensor', tensor).numel()


def config_of(folder, sharded=True, dropout=0.0, sent=None, **changes):
    """Return a run with clipped and accumulated gradients, and a scored epoch."""
    loader = dict(batch_size=BATCH, num_workers=0, dataset=dict(type='ToyNumbers'))
    config = toy_config(
        folder,
        val_cfg=dict(type='BenchmarkValLoop'),
        val_dataloader=dict(toy=loader),
        val_evaluator=dict(toy=dict(type='ToyScore')),
        custom_hooks=[
            dict(type='SharesHook'),
            dict(type='GradientShareHook', interval=2),
            dict(type='WeightNormHook', interval=2),
        ],
    )
    config.model.update(type='ToyWithScalar', dropout=dropout)
    config.optim_wrapper.clip_grad.max_norm = 0.1  # most steps are clipped
    stages = config.train_cfg.stages
    stages.construct.optim_wrapper.accumulative_counts = 2
    stages.align.trainable.append('scale')
    config.default_hooks.checkpoint.update(
        by_epoch=False, save_best='toy/mean', rule='less'
    )
    if sent is not None:
        config.custom_hooks.append(dict(type='SignalHook', number=sent))
    if sharded:
        config.model_wrapper_cfg = dict(SHARDED)
    config.merge_from_dict(changes)
    # Formatting it takes most of a toy's time
    object.__setattr__(config, '_format_python_code', False)
    return config


def run(folder, resume=None, **changes):
    """Train a toy model and return the runner; ``resume=True`` takes the last file."""
    config = config_of(folder, **changes)
    distributed = torch.distributed.is_initialized()
    config.launcher = 'pytorch' if distributed else 'none'
    config.update(
        resume=resume is not None, load_from=None if resume is True else resume
    )
    config.experiment_name = f'{folder.parent.name}_{folder.name}_{os.getpid()}'
    os.environ['LOCAL_RANK'] = str(get_rank())
    torch.set_default_dtype(torch.float64)
    try:
        runner = ReIDRunner.from_cfg(config)
        runner.train()
    finally:
        torch.set_default_dtype(torch.float32)
    return runner


def work(rank, world, folder, runs):
    """Run each of some trainings in a process of a group."""
    mmengine.runner.runner.collect_env = dict  # it starts compilers
    for name, options in runs.items():
        try:
            runner = run(Path(folder) / name, **deepcopy(options))
        except UserError as error:
            torch.save(str(error), Path(folder) / f'{name}_{rank}.pt')
            continue
        (shares,) = (h for h in runner.hooks if isinstance(h, SharesHook))
        torch.save(shares.counts, Path(folder) / f'{name}_{rank}.pt')

"""Runs in forked processes that are killed, or asked to stop, at a chosen moment."""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import torch

from hplreid.engine.hooks.atomic_checkpoint_hook import AtomicLocalBackend
from hplreid.engine.interruption import EXIT_CODE, RunInterrupted, stop_on_signals
from hplreid.engine.run import train
from tests.test_engine.engine_toy import BATCH, ToyModel, toy_config

Moment = Callable[[int], None]
"""Prepares a process to send itself a signal at a moment of its run."""


def config_of(folder: Path):
    """Return a run of 2 + 3 epochs of 3 steps: both stages, EMA, validation, best."""
    loader = dict(batch_size=BATCH, num_workers=0, dataset=dict(type='ToyNumbers'))
    config = toy_config(
        folder,
        val_cfg=dict(type='BenchmarkValLoop'),
        val_dataloader=dict(toy=loader),
        val_evaluator=dict(toy=dict(type='ToyScore')),
        custom_hooks=[
            dict(type='EMAHook', momentum=0.1),
            dict(type='EarlyStoppingHook', monitor='toy/mean', rule='less'),
        ],
    )
    config.train_cfg.stages.construct.optim_wrapper.accumulative_counts = 2
    config.default_hooks.checkpoint.update(
        max_keep_ckpts=2, save_best='toy/mean', rule='less'
    )
    return config


def run(folder: Path, moment: Moment | None = None, number: int = 0) -> int:
    """Train in a process of its own, or go on if the folder has a checkpoint.

    Returns:
        Its exit code; minus the signal if it was killed.
    """
    pid = os.fork()
    if pid:
        _, status = os.waitpid(pid, 0)
        return os.waitstatus_to_exitcode(status)
    code = 1
    try:
        torch.set_num_threads(1)
        if moment is not None:
            moment(number)
        config = config_of(folder)
        config.resume = True
        config.experiment_name = f'mortal_{os.getpid()}'
        with stop_on_signals():
            train(config)
        code = 0
    except RunInterrupted:
        code = EXIT_CODE
    except Exception:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def at_step(step: int) -> Moment:
    """In the forward pass of a step, counted from 1 over the whole run."""

    def prepare(number: int) -> None:
        forward = ToyModel.forward

        def mortal(self, *args, **kwargs):
            if kwargs.get('mode') != 'predict' and self.steps == step - 1:
                os.kill(os.getpid(), number)
            return forward(self, *args, **kwargs)

        ToyModel.forward = mortal

    return prepare


def in_validation(epoch: int) -> Moment:
    """In the second batch of the validation after an epoch."""

    def prepare(number: int) -> None:
        forward, seen = ToyModel.forward, []

        def mortal(self, *args, **kwargs):
            if kwargs.get('mode') == 'predict':
                seen.append(1)
                if len(seen) == 3 * (epoch - 1) + 2:
                    os.kill(os.getpid(), number)
            return forward(self, *args, **kwargs)

        ToyModel.forward = mortal

    return prepare


def half_written(name: str) -> Moment:
    """When half of a checkpoint is on disk, under its temporary name."""

    def prepare(number: int) -> None:
        put, sync = AtomicLocalBackend.put, os.fsync
        writing = []

        def watch(self, obj, filepath):
            writing[:] = [name in str(filepath), len(obj)]
            put(self, obj, filepath)

        def mortal(handle):
            if writing[0]:
                if number == signal.SIGKILL:
                    os.ftruncate(handle, writing[1] // 2)
                os.kill(os.getpid(), number)
            sync(handle)

        AtomicLocalBackend.put, os.fsync = watch, mortal

    return prepare


def renaming(name: str, after: bool, count: int = 1) -> Moment:
    """Just before or after a complete file gets its name, for the n-th time."""

    def prepare(number: int) -> None:
        replace, seen = os.replace, []

        def mortal(source, target):
            hit = Path(target).name.startswith(name)
            seen.extend([1] * hit)
            if hit and len(seen) == count and not after:
                os.kill(os.getpid(), number)
            replace(source, target)
            if hit and len(seen) == count and after:
                os.kill(os.getpid(), number)

        os.replace = mortal

    return prepare


MOMENTS = {
    'step 1, nothing saved yet': at_step(1),
    'step 2 of stage I, gradients accumulated': at_step(2),
    'last step of an epoch': at_step(6),
    'first step of stage II': at_step(7),
    'within an epoch of stage II': at_step(11),
    'in a validation': in_validation(3),
    'epoch_3.pth half written': half_written('epoch_3.pth'),
    'epoch_4.pth complete, not yet renamed': renaming('epoch_4.pth', after=False),
    'epoch_2.pth renamed, last_checkpoint of before': renaming('epoch_2.pth', True),
    'the best checkpoint renamed, the former one there': renaming('best_', True, 2),
}


def state_of(folder: Path) -> dict:
    """Return all that a run has left, but for names and times of writing."""
    paths = [*folder.glob('epoch_*.pth'), *folder.glob('best_*.pth')]
    return {path.name: _without_times(torch.load(path)) for path in sorted(paths)}


def _without_times(checkpoint: dict) -> dict:
    meta = dict(checkpoint['meta'])
    for key in ('time', 'experiment_name', 'cfg'):
        meta.pop(key)
    hub = dict(checkpoint['message_hub'])
    for key in ('runtime_info', 'resumed_keys'):  # paths of this folder
        hub.pop(key)
    # A validation that is made again has its scores in the log twice
    hub['log_scalars'] = {
        k: v for k, v in hub['log_scalars'].items() if k.startswith('train/loss')
    }
    return dict(checkpoint, meta=meta, message_hub=hub)


def differences(one, other, place: str = '') -> list[str]:
    """Return the places at which two nested values differ by a bit."""
    if isinstance(one, torch.Tensor):
        same = isinstance(other, torch.Tensor) and torch.equal(one, other)
        return [] if same else [place]
    if isinstance(one, dict):
        if not isinstance(other, dict) or one.keys() != other.keys():
            return [f'{place} keys']
        return [d for k in one for d in differences(one[k], other[k], f'{place}.{k}')]
    if isinstance(one, (list, tuple)):
        if len(one) != len(other):
            return [f'{place} length']
        pairs = enumerate(zip(one, other, strict=True))
        return [d for i, (a, b) in pairs for d in differences(a, b, f'{place}.{i}')]
    return [] if one == other else [place]

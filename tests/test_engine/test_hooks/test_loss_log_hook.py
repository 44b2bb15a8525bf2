"""Logged losses are those of MMEngine's hook, and NaN stops a run."""

from pathlib import Path

import pytest
import torch

from hplreid.engine import NonFiniteLossError
from tests.test_engine.engine_toy import toy_config, train


def history(runner, name):
    return runner.message_hub.get_scalar(f'train/{name}').data[0].tolist()


def test_logged_losses_are_those_of_mmengine(tmp_path):
    ours = train(toy_config(tmp_path / 'a'))
    hooks = dict(runtime_info=dict(type='RuntimeInfoHook'))
    theirs = train(toy_config(tmp_path / 'b', default_hooks=hooks))
    for name in ('loss', 'loss_pull', 'loss_id'):
        assert history(ours, name) == pytest.approx(history(theirs, name), rel=1e-6)
    norms = history(ours, 'grad_norm')
    assert len(norms) == 15
    assert min(norms) > 0


def test_losses_stay_on_the_device_between_logs(tmp_path, monkeypatch):
    calls = []
    tolist = torch.Tensor.tolist

    def count(self):
        if self.dim() == 1 and self.is_floating_point() and len(self) % 4 == 0:
            calls.append(len(self))
        return tolist(self)

    monkeypatch.setattr(torch.Tensor, 'tolist', count)
    hooks = dict(logger=dict(type='LoggerHook', interval=2))
    train(toy_config(tmp_path, default_hooks=hooks))
    # Three losses and a norm: of two steps at the log, of one at the end of an epoch
    assert calls == [8, 4] * 5


@pytest.mark.parametrize('step', [4, 5])  # between two logs, and just before one
def test_a_loss_that_is_not_finite_stops_the_run(tmp_path, step):
    config = toy_config(tmp_path)
    config.model.nan_at = step
    with pytest.raises(NonFiniteLossError, match=f"Step {step} of .*'loss_id' is nan"):
        train(config)


def test_no_checkpoint_is_written_after_a_bad_loss(tmp_path):
    checkpoint = dict(type='AtomicCheckpointHook', interval=1, by_epoch=False)
    hooks = dict(checkpoint=checkpoint, logger=dict(type='LoggerHook', interval=50))
    config = toy_config(tmp_path, default_hooks=hooks)
    config.model.nan_at = 2
    with pytest.raises(NonFiniteLossError, match='Step 2 of'):
        train(config)
    assert [p.name for p in Path(tmp_path).glob('*.pth')] == ['iter_1.pth']

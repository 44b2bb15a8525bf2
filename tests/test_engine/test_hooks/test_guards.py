"""What isn't finite, can't be read or written stops a run in words, or is skipped."""

import errno
import os
from pathlib import Path

import pytest
import torch
from mmengine.structures import BaseDataElement

from hplreid.datasets.errors import UnreadableImageError
from hplreid.engine import NonFiniteLossError
from hplreid.engine.config import ConfigError
from hplreid.engine.hooks import LossLogHook
from hplreid.engine.hooks.atomic_checkpoint_hook import AtomicLocalBackend
from hplreid.engine.hooks.loss_log_hook import _describe, _Step
from hplreid.engine.runner import ReIDRunner
from hplreid.utils.atomic_files import WriteError
from tests.test_engine.engine_toy import ToyNumbers, toy_config, train

SKIP = dict(runtime_info=dict(type='LossLogHook', non_finite='skip'))


def history(runner, name):
    return runner.message_hub.get_scalar(f'train/{name}').data[0].tolist()


def test_a_step_that_is_not_finite_is_skipped_and_counted(tmp_path, monkeypatch):
    seen = {}
    after = LossLogHook.after_train_iter

    def watch(self, runner, *args, **kwargs):
        after(self, runner, *args, **kwargs)
        weights = runner.model.parameters()
        seen[runner.iter + 1] = torch.cat([w.detach().flatten() for w in weights])

    monkeypatch.setattr(LossLogHook, 'after_train_iter', watch)
    config = toy_config(tmp_path, default_hooks=SKIP)
    config.model.nan_at = 8  # in the second stage: its losses alone are kept
    runner = train(config)
    assert torch.equal(seen[8], seen[7])
    assert not torch.equal(seen[9], seen[8])
    assert runner.message_hub.get_info('skipped_steps') == 1
    assert history(runner, 'skipped_steps') == [1]
    assert len(history(runner, 'loss_id')) == 9 - 1
    assert all(p.isfinite().all() for p in runner.model.parameters())


def test_without_a_bad_step_skipping_changes_nothing(tmp_path):
    plain, skipping = (
        train(toy_config(tmp_path / name, **changes)).model.state_dict()
        for name, changes in (('a', {}), ('b', dict(default_hooks=SKIP)))
    )
    assert all(torch.equal(plain[k], skipping[k]) for k in plain)


def test_too_many_skipped_steps_stop_a_run(tmp_path):
    hook = dict(SKIP['runtime_info'], max_skipped=0)
    config = toy_config(tmp_path, default_hooks=dict(runtime_info=hook))
    config.model.nan_at = 5
    with pytest.raises(NonFiniteLossError, match='skipped step 1; at most 0 are allow'):
        train(config)


def test_skipping_needs_our_wrapper_and_a_known_word(tmp_path):
    config = toy_config(tmp_path, default_hooks=SKIP)
    config.optim_wrapper.type = 'OptimWrapper'
    with pytest.raises(ConfigError, match='AutocastOptimWrapper'):
        train(config)
    with pytest.raises(ValueError, match="non_finite='skp', expected 'stop' or 'skip'"):
        LossLogHook(non_finite='skp')


def test_a_gradient_that_is_not_finite_is_named_at_its_step(tmp_path, monkeypatch):
    config = toy_config(tmp_path)
    config.optim_wrapper.pop('clip_grad')
    runner = ReIDRunner.from_cfg(config)
    loop = runner.build_train_loop(runner._train_loop)
    loop.model.prompt.weight.register_hook(lambda grad: grad * float('inf'))
    runner._train_loop = loop
    with pytest.raises(NonFiniteLossError, match="Step 1 of .*: 'grad_norm' is"):
        runner.train()


def test_the_norm_of_gradients_is_logged_without_clipping(tmp_path):
    clipped = train(toy_config(tmp_path / 'a'))
    config = toy_config(tmp_path / 'b')
    config.optim_wrapper.pop('clip_grad')
    norms = history(train(config), 'grad_norm')
    assert len(norms) == 15
    assert norms[0] == pytest.approx(history(clipped, 'grad_norm')[0], rel=1e-6)


def test_the_items_of_a_bad_step_are_named(tmp_path):
    runner = train(toy_config(tmp_path))
    lines = []
    runner.logger.info = lambda text, **_: lines.append(text)
    items = [
        BaseDataElement(metainfo=dict(img_path=f'{i}.jpg', caption=None))
        for i in range(9)
    ]
    items.append(BaseDataElement(metainfo=dict(img_path=None, caption='a red coat')))
    scalars = dict(loss_id=float('nan'), loss_pull=0.5)
    text = _describe(runner, _Step(6, {}, items, False), scalars, ['loss_id'])
    assert text == (
        "Step 7 of stage 'align': 'loss_id' is nan. The others: loss_pull 0.5. Its 10 "
        'items: 0.jpg, 1.jpg, 2.jpg, 3.jpg, 4.jpg, 5.jpg, 6.jpg, 7.jpg and 2 more (the '
        'log file has all).'
    )
    assert lines[0].endswith("8.jpg, 'a red coat'")


@pytest.mark.parametrize('workers', [0, 1])
def test_an_image_that_cannot_be_decoded_is_a_message(tmp_path, monkeypatch, workers):
    unbroken = train(toy_config(tmp_path / 'all')).model.state_dict()
    get = ToyNumbers.__getitem__

    def break_off(self, index):
        if index[1] == 3012:  # epoch 4, second batch
            raise UnreadableImageError("Image 'a.jpg' can't be decoded.")
        return get(self, index)

    folder = tmp_path / 'run'
    config = toy_config(folder, train_dataloader=dict(num_workers=workers))
    monkeypatch.setattr(ToyNumbers, '__getitem__', break_off)
    with pytest.raises(UnreadableImageError) as caught:
        train(config.copy())
    saved = folder / 'interrupted_iter_10.pth'
    assert str(caught.value) == (
        "Image 'a.jpg' can't be decoded. 10 of 15 steps are done. Saved "
        f'{saved}. Go on with --resume.'
    )
    monkeypatch.undo()
    config.resume = True
    resumed = train(config).model.state_dict()
    assert all(torch.equal(unbroken[k], resumed[k]) for k in unbroken)
    assert not saved.exists()


def test_a_full_disk_keeps_the_last_checkpoint_and_says_so(tmp_path, monkeypatch):
    sync, put = os.fsync, AtomicLocalBackend.put
    name = []

    def watch(self, obj, filepath):
        name[:] = [Path(filepath).name]
        put(self, obj, filepath)

    def fill(handle):
        if name == ['epoch_4.pth']:
            raise OSError(errno.ENOSPC, 'No space left on device')
        sync(handle)

    monkeypatch.setattr(AtomicLocalBackend, 'put', watch)
    monkeypatch.setattr(os, 'fsync', fill)
    hook = dict(type='AtomicCheckpointHook', interval=1, max_keep_ckpts=1)
    config = toy_config(tmp_path, default_hooks=dict(checkpoint=hook))
    with pytest.raises(WriteError) as caught:
        train(config.copy())
    message = str(caught.value)
    assert "epoch_4.pth' can't be written: No space left on device (after" in message
    assert f'free in {tmp_path}). Free some space.' in message
    assert 'The file has ' in message
    assert f'The last checkpoint is whole, {tmp_path}/epoch_3.pth' in message
    names = {p.name for p in tmp_path.iterdir() if p.is_file()}
    assert {'epoch_3.pth', 'last_checkpoint'} <= names
    assert not [n for n in names if 'epoch_4' in n or n.endswith('.tmp')]
    monkeypatch.undo()
    config.resume = True
    assert train(config).epoch == 5

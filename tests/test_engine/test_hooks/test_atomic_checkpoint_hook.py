"""Checkpoints are complete or absent, whenever the process dies."""

import os
from pathlib import Path

import pytest

from hplreid.engine.hooks.atomic_checkpoint_hook import AtomicLocalBackend
from tests.test_engine.engine_toy import toy_config, train


def checkpoints(folder):
    return sorted(p.name for p in Path(folder).glob('*.pth'))


@pytest.mark.parametrize('call', ['fsync', 'replace'])
def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch, call):
    path = tmp_path / 'a.pth'
    backend = AtomicLocalBackend()
    backend.put(b'old', path)

    def die(*_):
        raise OSError('disk full')

    monkeypatch.setattr(os, call, die)
    with pytest.raises(OSError, match='disk full'):
        backend.put(b'newer and longer', path)
    assert path.read_bytes() == b'old'
    assert os.listdir(tmp_path) == ['a.pth']


def test_folders_are_made_and_files_replaced(tmp_path):
    backend = AtomicLocalBackend()
    for content in (b'first', b'2'):
        backend.put(content, tmp_path / 'deep' / 'a.pth')
    assert (tmp_path / 'deep' / 'a.pth').read_bytes() == b'2'


def test_the_oldest_is_removed_after_the_newest_is_complete(tmp_path, monkeypatch):
    seen = []
    put = AtomicLocalBackend.put

    def watch(self, obj, filepath):
        put(self, obj, filepath)
        seen.append(checkpoints(tmp_path))

    monkeypatch.setattr(AtomicLocalBackend, 'put', watch)
    hook = dict(type='AtomicCheckpointHook', interval=1, max_keep_ckpts=1)
    runner = train(toy_config(tmp_path, default_hooks=dict(checkpoint=hook)))
    names = [f'epoch_{epoch}.pth' for epoch in range(1, 6)]
    assert seen == [names[:1], *(names[i : i + 2] for i in range(4))]
    assert checkpoints(tmp_path) == ['epoch_5.pth']
    assert (tmp_path / 'last_checkpoint').read_text() == f'{tmp_path}/epoch_5.pth'
    assert runner.message_hub.get_info('keep_ckpt_ids') == [5]


def test_max_keep_ckpts_checkpoints_are_kept(tmp_path):
    hook = dict(type='AtomicCheckpointHook', interval=1, max_keep_ckpts=2)
    train(toy_config(tmp_path, default_hooks=dict(checkpoint=hook)))
    assert checkpoints(tmp_path) == ['epoch_4.pth', 'epoch_5.pth']


def test_a_run_killed_while_saving_is_resumed(tmp_path, monkeypatch):
    put = AtomicLocalBackend.put

    def die_in_epoch_4(self, obj, filepath):
        if 'epoch_4' in str(filepath):
            raise KeyboardInterrupt
        put(self, obj, filepath)

    monkeypatch.setattr(AtomicLocalBackend, 'put', die_in_epoch_4)
    hook = dict(type='AtomicCheckpointHook', interval=1, max_keep_ckpts=1)
    config = toy_config(tmp_path, default_hooks=dict(checkpoint=hook))
    with pytest.raises(KeyboardInterrupt):
        train(config.copy())
    assert checkpoints(tmp_path) == ['epoch_3.pth']
    monkeypatch.undo()
    config.resume = True
    assert train(config).epoch == 5

"""One training at a time in a work folder, and none where nothing can be written."""

import errno
import json
import os
import re
import signal
import time

import pytest

from hplreid.engine.interruption import folder_lock
from hplreid.engine.interruption.folder_lock import (
    FolderInUseError,
    WorkFolderError,
    locked,
)
from hplreid.utils.atomic_files import HOST, atomic_path


def hold(folder, error=None):
    """Lock a folder, and maybe fail within."""
    with locked(folder):
        if error is not None:
            raise error


def test_the_second_is_refused_while_the_first_lives(tmp_path):
    with locked(tmp_path / 'run'):
        with pytest.raises(FolderInUseError) as refused:
            hold(tmp_path / 'run')
        hold(tmp_path / 'other')
    message = str(refused.value)
    assert f"in '{tmp_path / 'run'}': process {os.getpid()} on {HOST}" in message
    assert re.search(r'since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\. .*--work-dir', message)
    hold(tmp_path / 'run')


def test_the_lock_of_a_killed_run_is_no_hindrance_though_its_worker_lives(tmp_path):
    gets, tells = os.pipe()
    pid = os.fork()
    if not pid:
        with locked(tmp_path), atomic_path(tmp_path / 'epoch_3.pth') as temporary:
            temporary.touch()
            worker = os.fork()
            if not worker:
                time.sleep(20)
                os._exit(0)
            os.write(tells, f'{worker}\n'.encode())
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    worker = int(os.read(gets, 100))
    try:
        leftover = f'.epoch_3.pth.{HOST}@{pid}.tmp'
        assert sorted(os.listdir(tmp_path)) == [leftover, '.lock']
        with locked(tmp_path):
            assert os.listdir(tmp_path) == ['.lock']
            assert json.loads((tmp_path / '.lock').read_text())['pid'] == os.getpid()
    finally:
        os.kill(worker, signal.SIGKILL)


def test_leftovers_on_another_machine_are_those_of_the_former_run(tmp_path):
    former = dict(host='node7', pid=41, since='2026-01-02 03:04:05')
    (tmp_path / '.lock').write_text(json.dumps(former))
    for owner in ('node7@41', 'node8@41'):
        (tmp_path / f'.epoch_3.pth.{owner}.tmp').touch()
    with locked(tmp_path):
        assert sorted(os.listdir(tmp_path)) == ['.epoch_3.pth.node8@41.tmp', '.lock']


def test_a_work_folder_that_is_a_file_is_refused(tmp_path):
    path = tmp_path / 'run'
    path.touch()
    with pytest.raises(WorkFolderError, match='a part of this path is a file'):
        hold(path)
    with pytest.raises(WorkFolderError, match="work_dir: .*lock' can't be written"):
        hold(path / 'deep')


def test_a_read_only_folder_is_refused(tmp_path, monkeypatch):
    def refuse(path, *_):
        raise OSError(errno.EROFS, 'Read-only file system', str(path))

    monkeypatch.setattr(folder_lock.os, 'open', refuse)
    with pytest.raises(WorkFolderError, match='Read-only file system .* are free in'):
        hold(tmp_path)


def test_a_disk_that_gets_full_is_a_message_and_other_errors_pass(tmp_path):
    with pytest.raises(WorkFolderError, match='No space left .*Free some space'):
        hold(tmp_path, OSError(errno.ENOSPC, 'No space left on device'))
    with pytest.raises(OSError, match='^else$'):
        hold(tmp_path, OSError('else'))


def test_a_file_system_without_locks_is_said(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOSYS, 'Function not implemented')

    lines = []
    monkeypatch.setattr(folder_lock.fcntl, 'flock', refuse)
    monkeypatch.setattr(folder_lock, 'log', lines.append)
    with locked(tmp_path):
        assert 'has no locks' in lines[0]

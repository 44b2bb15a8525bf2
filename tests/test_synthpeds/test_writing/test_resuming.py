"""A rendering that is killed, or finds the disk full, goes on where it ended."""

import errno
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from hplreid.synthpeds import SIZES, DiskFullError, make_synthpeds
from hplreid.synthpeds.writing import disk_space, plan_shots, render_workers, writer
from hplreid.synthpeds.writing.unfinished import write_whole

ROOT = Path(__file__).parents[3]


def _files(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in folder.rglob('*')
        if path.is_file()
    }


def _wait_for(condition, process, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, 'finished before it could be killed'
        assert time.monotonic() < end
        time.sleep(0.005)


def _stop(*args):
    raise KeyboardInterrupt


def test_a_killed_rendering_goes_on_and_loses_nothing(tiny, tmp_path, capsys):
    finished, manifest = tiny
    out = tmp_path / 'data'
    tool = ROOT / 'tools' / 'dataset_tools' / 'make_synthpeds.py'
    process = subprocess.Popen(
        [sys.executable, tool, '--out', out, '--size', 'tiny', '--workers', '1'],
        stdout=subprocess.DEVNULL,
        env={**os.environ, 'OMP_NUM_THREADS': '1'},
    )
    pattern = '.data.*.partial/captions/*.json'
    _wait_for(lambda: len(list(tmp_path.glob(pattern))) >= 3, process)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not out.exists()
    (work,) = tmp_path.glob('.data.*.partial')
    chunks = len(list(tmp_path.glob(pattern)))
    before = {path: path.stat().st_mtime_ns for path in work.rglob('*.jpg')}
    # Whatever the kill cut short lies apart, and no image is half written.
    (work / 'scratch').joinpath('1.half.jpg').write_bytes(b'\xff\xd8')
    whole = _files(finished)
    for path in before:
        assert path.read_bytes() == whole[path.relative_to(work / 'dataset')]

    rendered = []
    original = render_workers.make_images
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            render_workers,
            'make_images',
            lambda seed, requests, *rest: (
                rendered.extend(requests) or original(seed, requests, *rest)
            ),
        )
        assert make_synthpeds(out, 'tiny', workers=1) == manifest
    assert _files(out) == whole
    assert len(rendered) == 96 - 10 * chunks
    assert f'({10 * chunks} of 96 are there)' in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ['data']


@pytest.fixture(scope='module')
def mini(tmp_path_factory):
    """Make a dataset of 34 images, and let this module make it again as size mini."""
    few = replace(
        SIZES['tiny'], train=3, shared=1, captioned=2, val=1, test=2, distractors=6
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SIZES, 'mini', few)
        patch.setattr(writer, 'write_overview', lambda path, *rest: path.touch())
        out = tmp_path_factory.mktemp('mini') / 'data'
        yield out, make_synthpeds(out, 'mini', workers=1, progress=False)


def test_other_settings_begin_anew(mini, tmp_path, monkeypatch):
    out = tmp_path / 'data'
    with monkeypatch.context() as patch:
        patch.setattr(writer, 'write_overview', _stop)
        with pytest.raises(KeyboardInterrupt):
            make_synthpeds(out, 'mini', seed=3, workers=1, progress=False)
    make_synthpeds(out, 'mini', seed=0, workers=1, progress=False)
    assert _files(out) == _files(mini[0])


def test_a_missing_image_of_a_finished_chunk_is_rendered(mini, tmp_path, monkeypatch):
    out = tmp_path / 'data'
    with monkeypatch.context() as patch:
        patch.setattr(writer, 'write_overview', _stop)
        with pytest.raises(KeyboardInterrupt):
            make_synthpeds(out, 'mini', workers=1, progress=False)
    next(tmp_path.glob('.data.*.partial/dataset/CUHK-PEDES/imgs/*/*.jpg')).unlink()
    make_synthpeds(out, 'mini', workers=1, progress=False)
    assert _files(out) == _files(mini[0])


def test_a_small_disk_is_told_before_anything_is_rendered(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=1_200_000)
    monkeypatch.setattr(disk_space.shutil, 'disk_usage', lambda folder: usage)
    monkeypatch.setattr(render_workers, 'make_images', None)
    message = r'need about 3 MB, 1 MB are free.*start again: what is rendered is kept'
    with pytest.raises(DiskFullError, match=message):
        make_synthpeds(tmp_path / 'data', 'tiny', workers=1, progress=False)
    assert not (tmp_path / 'data').exists()


def test_a_disk_that_fills_up_loses_nothing(mini, tmp_path, monkeypatch):
    out, written = tmp_path / 'data', []

    def fill_up(path, data, scratch):
        written.append(path)
        if len(written) > 26:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write_whole(path, data, scratch)

    with monkeypatch.context() as patch:
        patch.setattr(render_workers, 'write_whole', fill_up)
        with pytest.raises(DiskFullError, match='are free. Free some space') as caught:
            make_synthpeds(out, 'mini', workers=1, progress=False)
    assert caught.value.__cause__.errno == errno.ENOSPC
    assert not out.exists()
    kept = list(tmp_path.glob('.data.*.partial/captions/*.json'))
    assert len(kept) == 2
    make_synthpeds(out, 'mini', workers=1, progress=False)
    assert _files(out) == _files(mini[0])


def test_an_estimate_of_space_is_enough_and_not_too_much(tiny):
    needed = disk_space.needed_bytes(plan_shots(SIZES['tiny'], 0))
    used = sum(path.stat().st_blocks * 512 for path in tiny[0].rglob('*'))
    assert used <= needed <= 6 * used


def test_a_file_that_fails_leaves_nothing(tmp_path, monkeypatch):
    def fail(self, data):
        Path.write_text(self, 'half')
        raise OSError(errno.ENOSPC, 'full')

    monkeypatch.setattr(Path, 'write_bytes', fail)
    with pytest.raises(OSError, match='full'):
        write_whole(tmp_path / 'a.jpg', b'whole', tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_of_two_processes_the_slower_one_finds_the_result(mini, tmp_path, monkeypatch):
    out = tmp_path / 'data'
    shutil.copytree(mini[0], tmp_path / 'copy')

    def other_is_faster(self, target):
        (tmp_path / 'copy').replace(out)
        raise FileNotFoundError(self)

    monkeypatch.setattr(Path, 'rename', other_is_faster)
    assert make_synthpeds(out, 'mini', workers=1, progress=False) == mini[1]


def test_one_line_says_what_comes(mini, tmp_path, capsys):
    make_synthpeds(tmp_path / 'data', 'mini', workers=1)
    lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(
        r'SynthPeds mini: rendering 34 images of 64 x 32 into .*data, '
        r'about \d+ s with 1 process',
        lines[0],
    )
    assert len(lines) == 2
    assert re.fullmatch(r'SynthPeds mini: 34 images in \d+ s, \d+ img/s', lines[1])

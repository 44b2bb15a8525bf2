"""A killed build of a cache loses nothing that was finished."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hplreid.datasets.images import cache_builder
from hplreid.datasets.images.cache_builder import build_cache
from hplreid.datasets.images.cache_index import CacheKey
from tests.helpers import write_image

KEY = CacheKey('faces', (16, 8), 'bilinear')
KILLED = """
import os, signal, sys
from hplreid.datasets.images import cache_builder
from hplreid.datasets.images.cache_index import CacheKey
cache_builder._CHUNK = 4
decode = cache_builder.decode_image
count = 0
def decode_some(*args):
    global count
    count += 1
    if count > 9:  # in the third chunk
        os.kill(os.getpid(), signal.SIGKILL)
    return decode(*args)
cache_builder.decode_image = decode_some
key = CacheKey('faces', (16, 8), 'bilinear')
cache_builder.build_cache(sys.argv[1], key, sys.argv[2:], progress=False)
"""


@pytest.fixture
def paths(tmp_path):
    found = []
    for number in range(20):
        path = tmp_path / f'{number:02}.jpg'
        write_image(path, key=str(number))
        found.append(str(path))
    return found


def content(folder):
    """What a cache holds, without when it was made."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def killed(tmp_path, paths):
    """A folder in which a build was killed after eight of twenty images."""
    folder = tmp_path / 'cache'
    done = subprocess.run([sys.executable, '-c', KILLED, folder, *paths])
    assert done.returncode == -9
    assert sorted(p.suffix for p in folder.iterdir()) == ['.journal', '.partial']
    return folder


def test_the_next_build_goes_on(tmp_path, paths, killed):
    assert build_cache(killed, KEY, paths, progress=False)[:2] == (20, 12)
    whole = tmp_path / 'whole'
    assert build_cache(whole, KEY, paths, progress=False)[:2] == (20, 20)
    assert content(killed) == content(whole)


def test_images_that_changed_since_are_made_again(paths, killed):
    write_image(Path(paths[1]), key='99')
    assert build_cache(killed, KEY, paths, progress=False).made == 13


@pytest.mark.parametrize('kind', ['pixels', 'last line', 'header', 'pixels gone'])
def test_damaged_rows_are_made_again(tmp_path, paths, killed, kind):
    (journal,) = killed.glob('.*.journal')
    (pixels,) = killed.glob('.*.partial')
    lines = journal.read_text().splitlines(keepends=True)
    if kind == 'pixels':
        data = bytearray(pixels.read_bytes())
        data[2 * 3 * 16 * 8] ^= 1
        pixels.write_bytes(data)
    elif kind == 'last line':
        journal.write_text(''.join(lines)[:-9])
    elif kind == 'header':
        header = dict(json.loads(lines[0]), resampling=1)
        journal.write_text(json.dumps(header) + '\n' + ''.join(lines[1:]))
    else:
        pixels.unlink()
    made = {'pixels': 13, 'last line': 13, 'header': 20, 'pixels gone': 20}[kind]
    assert build_cache(killed, KEY, paths, progress=False).made == made
    whole = tmp_path / 'whole'
    build_cache(whole, KEY, paths, progress=False)
    assert content(killed) == content(whole)


def test_overwrite_makes_all_anew(paths, killed):
    done = build_cache(killed, KEY, paths, overwrite=True, progress=False)
    assert done.made == 20
    assert not list(killed.glob('.*'))


def test_a_full_disk_leaves_nothing(tmp_path, paths, monkeypatch):
    folder = tmp_path / 'cache'
    monkeypatch.setattr(cache_builder, '_CHUNK', 4)

    def fail(*_):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr('os.fsync', fail)
    with pytest.raises(OSError, match='No space left'):
        build_cache(folder, KEY, paths, progress=False)
    assert not list(folder.iterdir())


def test_files_of_a_machine_with_a_long_name_are_removed(tmp_path, paths, monkeypatch):
    monkeypatch.setattr('socket.gethostname', lambda: 'node7.cluster.example')
    folder = tmp_path / 'cache'
    monkeypatch.setattr(cache_builder, '_CHUNK', 4)
    (tmp_path / '09.jpg').rename(tmp_path / 'away.jpg')
    with pytest.raises(FileNotFoundError):
        build_cache(folder, KEY, paths, progress=False)
    assert len(list(folder.glob('.*'))) == 2
    (tmp_path / 'away.jpg').rename(tmp_path / '09.jpg')
    assert build_cache(folder, KEY, paths, progress=False).made == 12
    assert not list(folder.glob('.*'))


def test_a_running_build_keeps_its_files(paths, killed):
    """Rows of another process are used, and its files are left to it."""
    for path in killed.glob('.*'):
        start, _, _, end = path.name.rpartition('.')[0].rpartition('.') + (path.suffix,)
        path.rename(killed / f'{start}.{os.getppid()}-1{end}')
    assert build_cache(killed, KEY, paths, progress=False).made == 12
    assert len(list(killed.glob('.*'))) == 2

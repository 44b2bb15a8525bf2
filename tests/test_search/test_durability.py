"""Embedded galleries: one process at a time, and nothing acknowledged is ever lost."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from hplreid.search import (
    DatabaseError,
    Gallery,
    GalleryError,
    GalleryInUseError,
    Query,
)
from tests.test_tools.programs import ROOT

from .conftest import KEY, features, items

# Adds, replaces and removes; a line is printed when the gallery has acknowledged
WRITER = """
import sys
from pathlib import Path
import numpy as np
from hplreid.search import Gallery, Item
first = int(sys.argv[2])
with Gallery.open(sys.argv[1]) as gallery:
    print('open', flush=True)
    for number in range(first, first + 100_000):
        rows = np.random.default_rng(number).standard_normal((4, 8)).astype('f4')
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        items = [Item(f'{number}-{n}', camera=str(number)) for n in range(4)]
        gallery.add(items, dict(i2i=rows, t2i=rows))
        print('added', number, flush=True)
        gallery.upsert([Item(f'{number}-0', camera='new')],
                       dict(i2i=rows[1:2], t2i=rows[:1]))
        print('replaced', number, flush=True)
        gallery.remove([f'{number}-3'])
        print('removed', number, flush=True)
"""


def write_until_killed(folder, first, seconds):
    """Kill a writer with signal 9; return what it had acknowledged by then."""
    process = subprocess.Popen(
        [sys.executable, '-c', WRITER, str(folder), str(first)],
        cwd=ROOT,
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == 'open\n'
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    said = [line.split() for line in process.stdout.read().splitlines()]
    assert process.wait() == -signal.SIGKILL
    return [(what, int(number)) for what, number in said]


def check_acknowledged(folder, said, kills):
    """Check what is in a gallery; of each kill one step may be there unsaid."""
    with Gallery.open(folder) as gallery:
        found = {item.id: item for item in gallery.items()}
        assert gallery.count() == len(found)
        steps = {(what, number) for what, number in said}
        for what, number in steps:
            if what == 'added':
                assert {f'{number}-1', f'{number}-2'} <= set(found)
            if what == 'replaced':
                assert found[f'{number}-0'].camera == 'new'
            if what == 'removed':
                assert f'{number}-3' not in found
        vectors = {}
        for some, feats in gallery.scroll():
            vectors.update(zip((i.id for i in some), feats['i2i'], strict=True))
        for number in {n for what, n in steps if what == 'replaced'}:
            rows = np.random.default_rng(number).standard_normal((4, 8)).astype('f4')
            rows /= np.linalg.norm(rows, axis=1, keepdims=True)
            np.testing.assert_allclose(vectors[f'{number}-0'], rows[1], atol=1e-6)
            np.testing.assert_allclose(vectors[f'{number}-2'], rows[2], atol=1e-6)
        numbers = {int(id_.split('-')[0]) for id_ in found}
        unsaid = {n for n in numbers if ('added', n) not in steps}
        assert len(unsaid) <= kills
        if found:
            some_id = next(iter(found))
            assert gallery.search(Query(like=[some_id]), topk=5).hits
    return len(found)


def kill_again_and_again(folder, times):
    Gallery.create(folder, KEY).close()
    rng = np.random.default_rng(times)
    said = []
    for kill in range(times):
        new = write_until_killed(folder, 1_000_000 * kill, rng.uniform(0.05, 1.0))
        said += new
        check_acknowledged(folder, said, kill + 1)
    assert len(said) > 10 * times
    return said


def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path):
    kill_again_and_again(tmp_path / 'people', 2)


@pytest.mark.exhaustive
def test_ten_kills_lose_nothing_that_was_acknowledged(tmp_path):
    kill_again_and_again(tmp_path / 'people', 10)


def test_a_second_process_is_refused_in_words(tmp_path):
    program = f"""
from hplreid.search import Gallery
try:
    Gallery.open({str(tmp_path / 'people')!r})
except Exception as error:
    print(type(error).__name__, error)
"""
    with Gallery.create(tmp_path / 'people', KEY):
        done = subprocess.run(
            [sys.executable, '-c', program],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        with pytest.raises(GalleryInUseError, match='one process at a time'):
            Gallery.open(tmp_path / 'people')
    assert done.stdout.startswith('GalleryInUseError Gallery')
    assert f'is open in process {os.getpid()} on' in done.stdout
    Gallery.open(tmp_path / 'people').close()


def test_a_gallery_is_not_made_among_other_files(tmp_path):
    (tmp_path / 'notes.txt').touch()
    with pytest.raises(GalleryError, match=r'has other files \(notes.txt\)'):
        Gallery.create(tmp_path, KEY)
    assert [path.name for path in tmp_path.iterdir()] == ['notes.txt']


def test_what_a_killed_creation_left_is_made_anew(tmp_path):
    folder = tmp_path / 'people'
    Gallery.create(folder, KEY).close()
    (folder / 'gallery.json').unlink()
    with pytest.raises(GalleryError, match='There is no gallery in'):
        Gallery.open(folder)
    with Gallery.create(folder, KEY) as gallery:
        assert gallery.count() == 0


def test_a_damaged_gallery_says_so(tmp_path):
    folder = tmp_path / 'people'
    with Gallery.create(folder, KEY) as gallery:
        gallery.add(items(9), features(9))
    manifest = (folder / 'gallery.json').read_text()
    later = {**json.loads(manifest), 'format': 2}
    for text, message in (('{', "can't be read"), (json.dumps(later), 'has format 2')):
        (folder / 'gallery.json').write_text(text)
        with pytest.raises(GalleryError, match=message):
            Gallery.open(folder)
    (folder / 'gallery.json').write_text(manifest)
    Gallery.open(folder).close()  # nothing still holds the lock
    shutil.rmtree(folder / 'shard' / 'segments')
    with pytest.raises(DatabaseError, match='is empty or missing. Restore'):
        Gallery.open(folder)


def test_a_closed_gallery_says_so(tmp_path):
    gallery = Gallery.create(tmp_path / 'people', KEY)
    gallery.close()
    gallery.close()
    for call in (gallery.count, gallery.cameras, lambda: list(gallery.items())):
        with pytest.raises(GalleryError, match='is closed: open it again'):
            call()
    with pytest.raises(GalleryError, match='is closed'):
        gallery.add(items(1), features(1))


def test_without_the_database_the_message_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'qdrant_edge', None)
    with pytest.raises(DatabaseError, match=r"pip install 'hplreid\[search\]'"):
        Gallery.create(tmp_path / 'people', KEY)
    monkeypatch.setitem(sys.modules, 'qdrant_client', None)
    with pytest.raises(DatabaseError, match=r"pip install 'hplreid\[search\]'"):
        Gallery.open('http://localhost:6333/people')

"""Seconds and memory of a function."""

import mmap
import time

import pytest

from hplreid.utils import measuring


def test_rest_is_not_timed():
    start = time.perf_counter()
    seconds, result = measuring.time_call(lambda: time.sleep(0.05) or 'done', pause=0.2)
    assert 0.05 <= seconds <= time.perf_counter() - start - 0.2
    assert result == 'done'


def test_memory_that_is_given_back_was_used():
    with measuring.MemoryWatch() as watch:
        time.sleep(0.02)
        # Fresh pages, unlike an array's
        with mmap.mmap(-1, 2**26, flags=mmap.MAP_PRIVATE) as pages:
            pages[:: mmap.PAGESIZE] = b'1' * (2**26 // mmap.PAGESIZE)
            time.sleep(0.05)
    assert 2**25 < watch.growth < 2**28


def test_where_memory_is_not_told(monkeypatch, tmp_path):
    monkeypatch.setattr(measuring, '_STATUS', tmp_path / 'gone')
    with pytest.raises(RuntimeError, match='gone'):
        measuring.MemoryWatch()

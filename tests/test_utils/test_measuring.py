"""Time and memory of a function."""

import mmap
import time

import pytest

from hplreid.utils import measuring


def test_the_pause_is_not_timed():
    start = time.perf_counter()
    seconds, result = measuring.time_call(lambda: time.sleep(0.05) or 'done', pause=0.2)
    assert 0.05 <= seconds <= time.perf_counter() - start - 0.2
    assert result == 'done'


def test_freed_memory_counts():
    with measuring.MemoryWatch() as watch:
        time.sleep(0.02)
        # New pages, which an allocator of arrays may not need
        with mmap.mmap(-1, 2**26, flags=mmap.MAP_PRIVATE) as pages:
            pages[:: mmap.PAGESIZE] = b'1' * (2**26 // mmap.PAGESIZE)
            time.sleep(0.05)
    assert 2**25 < watch.growth < 2**28


def test_a_system_without_process_memory_is_an_error(monkeypatch, tmp_path):
    monkeypatch.setattr(measuring, '_STATUS', tmp_path / 'gone')
    with pytest.raises(RuntimeError, match='gone'):
        measuring.MemoryWatch()

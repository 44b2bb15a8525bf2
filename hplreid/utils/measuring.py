"""Measure the time and the memory that a function takes, for benchmarks."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch

_T = TypeVar('_T')

_STATUS = Path('/proc/self/status')

# Seconds. Threads of a library wait for more work at full speed before they sleep:
# without a pause they would take a core from whatever is timed next.
PAUSE = 0.2


def time_call(function: Callable[[], _T], pause: float = 0) -> tuple[float, _T]:
    """Call a function and measure its time, including its work on a GPU.

    Args:
        function: The function to time.
        pause: Seconds to wait before the call, which aren't counted.

    Returns:
        Seconds, and what the function returned.

    Example:
        >>> seconds, total = time_call(lambda: sum(range(10)))
        >>> seconds > 0, total
        (True, 45)
    """
    time.sleep(pause)
    _synchronize()
    start = time.perf_counter()
    result = function()
    _synchronize()
    return time.perf_counter() - start, result


def _synchronize() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


class MemoryWatch:
    """Measures the growth of the memory of the process (Linux only).

    Pages of files are not counted.

    Raises:
        RuntimeError: The system doesn't report the memory of a process.

    Example:
        >>> with MemoryWatch() as watch:
        ...     content = bytearray(2**20)
        >>> watch.growth >= 0  # bytes
        True
    """

    def __init__(self) -> None:
        if not _STATUS.exists():
            raise RuntimeError(f'{_STATUS}, from which memory is read, does not exist.')

    def __enter__(self) -> 'MemoryWatch':
        self._done = threading.Event()
        self._start = self._peak = _resident()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        self._thread.join()

    @property
    def growth(self) -> int:
        """The largest growth since the start, in bytes."""
        return self._peak - self._start

    def _watch(self) -> None:
        while not self._done.wait(0.003):
            self._peak = max(self._peak, _resident())


def _resident() -> int:
    """Return the bytes of the process that are in memory and belong to no file."""
    lines = _STATUS.read_text('ascii').splitlines()
    return next(int(x.split()[1]) * 1024 for x in lines if x.startswith('RssAnon'))

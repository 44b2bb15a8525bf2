"""Seconds and memory of a function, for benchmarks."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch

_T = TypeVar('_T')

_STATUS = Path('/proc/self/status')
# Threads of a library wait for more work at full speed before they sleep: without a
# pause they would take a core from whatever is timed next.
REST = 0.2


def timed(function: Callable[[], _T], rest: float = 0) -> tuple[float, _T]:
    """Call a function; return its seconds, to the end of its work on a GPU too.

    Args:
        function: What is timed.
        rest: Seconds to wait first.

    Returns:
        Seconds, and what the function returned.
    """
    time.sleep(rest)
    _synchronize()
    start = time.perf_counter()
    result = function()
    _synchronize()
    return time.perf_counter() - start, result


def _synchronize() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


class MemoryWatch:
    """Watches the memory of the process, pages of files excluded (Linux).

    Example:
        >>> with MemoryWatch() as watch:
        ...     work()
        >>> watch.growth  # bytes

    Raises:
        RuntimeError: The system doesn't tell.
    """

    def __init__(self) -> None:
        if not _STATUS.exists():
            raise RuntimeError(f'Memory is read from {_STATUS}, which there is not.')

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
        """The greatest growth since the start, in bytes."""
        return self._peak - self._start

    def _watch(self) -> None:
        while not self._done.wait(0.003):
            self._peak = max(self._peak, _resident())


def _resident() -> int:
    lines = _STATUS.read_text('ascii').splitlines()
    return next(int(x.split()[1]) * 1024 for x in lines if x.startswith('RssAnon'))

"""A map over threads, each on one core."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache

import numpy as np
import torch
from threadpoolctl import ThreadpoolController

Map = Callable[..., Iterator]


# Below so many pairs of query and gallery item, starting threads takes longer.
_WORTH_A_THREAD = 1 << 20


@contextmanager
def parallel_map(number: int) -> Iterator[Map]:
    """Provide a ``map`` that shares calls among threads, each on one core.

    A tile that is multiplied and searched by one core stays in its cache, and nobody
    waits between the two. With one it is the ordinary ``map``.

    Args:
        number: How many threads.
    """
    if number == 1:
        yield map
        return
    before = torch.get_num_threads()
    ready = threading.Barrier(number)

    def start() -> None:
        torch.set_num_threads(1)  # holds for the thread, and for threads yet to come
        torch.get_num_threads()  # a thread asks once what holds for it, and not later
        ready.wait()

    with (
        _libraries().limit(limits=1, user_api='blas'),  # NumPy's
        ThreadPoolExecutor(number, initializer=start) as pool,
    ):
        # Each waits for all, so that none is left to start later
        for started in [pool.submit(int) for _ in range(number)]:
            started.result()
        torch.set_num_threads(before)  # for the threads of others
        yield pool.map


@cache
def _libraries() -> ThreadpoolController:
    """Look for what multiplies in this process once: it takes milliseconds."""
    return ThreadpoolController()


class Scratch(threading.local):
    """Memory that each thread uses again: fresh pages take longer than comparing."""

    def __init__(self) -> None:
        self._flat = np.empty(0, np.float32)

    def take(self, shape: tuple[int, int], dtype: np.dtype) -> np.ndarray:
        """Return an array that holds anything, until the thread's next call."""
        size = shape[0] * shape[1]
        if self._flat.size < size or self._flat.dtype != dtype:
            self._flat = np.empty(size, dtype)
        return self._flat[:size].reshape(shape)


@contextmanager
def without_buffer() -> Iterator[None]:
    """Let NumPy compare a table with a column without copying the column to a buffer.

    It holds for the calling thread, and halves the time.
    """
    before = np.setbufsize(256)
    try:
        yield
    finally:
        np.setbufsize(before)


def num_workers(device: torch.device, num_pairs: int) -> int:
    """Return how many threads to share the pairs of queries and gallery items among."""
    if device.type != 'cpu':
        return 1
    return min(torch.get_num_threads(), max(1, num_pairs // _WORTH_A_THREAD))


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """Multiply float32 in float32, whatever training switched on.

    On a CPU it is NumPy that multiplies, which nothing of that reaches.
    """
    if device.type == 'cpu':
        yield
        return
    with torch.autocast(device.type, enabled=False):
        # torch 2.9 renamed it, and refuses to read the old name once the new one is set
        settings = torch.backends.cuda.matmul
        if hasattr(settings, 'fp32_precision'):
            with _set(settings, 'fp32_precision', 'ieee'):
                yield
        else:
            with _set(settings, 'allow_tf32', False):
                yield


@contextmanager
def _set(holder: object, name: str, value: object) -> Iterator[None]:
    before = getattr(holder, name)
    setattr(holder, name, value)
    try:
        yield
    finally:
        setattr(holder, name, before)

"""A function over a stream in threads: results in order, and few of them ahead."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Given = TypeVar('Given')
Made = TypeVar('Made')


def map_ordered(
    function: Callable[[Given], Made],
    stream: Iterable[Given],
    workers: int,
    ahead: int,
) -> Iterator[Made]:
    """Yield ``function(item)`` for each item of a stream, in its order.

    The stream is read by the calling thread, never more than ``ahead`` items before
    what has been yielded: one without an end is fine.

    Args:
        function: Called in threads.
        stream: What it's called with.
        workers: Threads; with 0 it's called in the calling thread.
        ahead: Calls that may be finished or running.

    Example:
        >>> import itertools
        >>> squares = map_ordered(lambda n: n * n, itertools.count(), 2, ahead=4)
        >>> [next(squares) for _ in range(4)]
        [0, 1, 4, 9]
    """
    if not workers:
        yield from map(function, stream)
        return
    pool = ThreadPoolExecutor(workers)
    running: deque[Future[Made]] = deque()
    try:
        for item in stream:
            running.append(pool.submit(function, item))
            if len(running) >= ahead:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)

"""Tell the processes of a run that one of them has failed, and why.

The first process to fail posts its reason in the store of the process group and prints
it. The others, whose collectives break or wait, read it and stop without a word of
their own; :mod:`hplreid.utils.run_tool` and a thread in each process see to that.
"""

import atexit
import json
import os
import re
import sys
import threading
import time
from datetime import timedelta
from typing import Any

POLL, GRACE, LINGER = 2.0, 20.0, 2.0
"""Seconds between looks at the board; until a process that waits is ended; and for
which the first process, which may hold the store, lets others read."""

# What gloo, NCCL and the store say when the other end of a connection is gone
_BROKEN = re.compile(
    r'Connection closed by peer|Connection reset by peer|Broken pipe|Connection refused'
    r'|Timed out waiting|remote process exited|NCCL error|NCCL communicator',
    re.IGNORECASE,
)
LOST = (
    'Another process of this run has ended without a message: it may have been killed, '
    'for lack of memory say, or its machine has. See the log of the launcher and, of '
    'the kernel, `dmesg`.'
)


class FailureBoard:
    """The place where the first failure of a run is posted.

    Args:
        store: A connection to the store of the process group, for this alone.
        rank: This process.
        world: Number of processes.
    """

    def __init__(self, store: Any, rank: int, world: int) -> None:  # noqa: ANN401
        self.rank = rank
        self.world = world
        self._store = store
        # A launcher that starts all processes again may keep the store
        self._key = f'hplreid/failure/{os.environ.get("TORCHELASTIC_RESTART_COUNT", 0)}'
        self._lock = threading.Lock()
        self._ended = threading.Event()

    def post(self, reason: str) -> bool:
        """Post a failure; return whether it's the first, or nobody can know."""
        text = json.dumps([self.rank, reason])
        try:
            with self._lock:
                found = self._store.compare_set(self._key, '', text)
        except RuntimeError:  # the process that holds the store has ended
            return True
        return found.decode() == text

    def read(self) -> tuple[int, str] | None:
        """Return the rank that failed first and its reason, None if there is none."""
        try:
            with self._lock:
                if not self._store.check([self._key]):
                    return None
                rank, reason = json.loads(self._store.get(self._key))
        except RuntimeError:
            return None
        return rank, reason

    def watch(self) -> None:
        """Start a thread that ends this process some time after another's failure.

        A collective may wait for the failed process until it times out, and holds the
        main thread so that no exception can reach it.
        """
        thread = threading.Thread(target=self._watch, name='failures', daemon=True)
        thread.start()
        atexit.register(self.close, thread)

    def close(self, thread: threading.Thread) -> None:
        """End the thread."""
        self._ended.set()
        thread.join(POLL)

    def _watch(self) -> None:
        while not self._ended.wait(POLL):
            failure = self.read()
            if failure is None or failure[0] == self.rank:
                continue
            if not self._ended.wait(GRACE):
                print(describe_stop(self.rank, *failure), file=sys.stderr, flush=True)
                os._exit(1)  # the main thread can't be reached
            return


_board: FailureBoard | None = None


def open_board(rank: int, world: int) -> FailureBoard:
    """Open the board of a run whose launcher has set ``MASTER_ADDR`` and ``_PORT``."""
    from torch.distributed import TCPStore  # tools of one process needn't load it

    global _board
    host, port = os.environ['MASTER_ADDR'], int(os.environ['MASTER_PORT'])
    store = TCPStore(host, port, is_master=False, timeout=timedelta(seconds=30))
    _board = FailureBoard(store, rank, world)
    _board.watch()
    return _board


def post_failure(error: BaseException) -> str | None:
    """Post the failure of this process, and return what to print instead of it.

    Returns:
        None where the error itself should be printed: in a run of one process, and in
        the first process to fail. A line that says who failed where this process only
        follows; nothing where another has printed the same error.
    """
    if _board is None:
        return None
    broken = bool(_BROKEN.search(str(error))) and isinstance(error, RuntimeError)
    reason = LOST if broken else f'{type(error).__name__}: {error}'
    first = _board.post(reason)
    if _board.rank == 0:
        time.sleep(LINGER)
    if first:
        return f'Error: {LOST}' if broken else None
    failure = _board.read()
    if failure is None:
        return None
    if failure[1] == reason:
        return ''
    return describe_stop(_board.rank, *failure)


def name_process() -> str:
    """Return words for this process in a message, none in a run of one process.

    Example:
        >>> name_process()  # in one process
        ''
    """
    if _board is None:
        return ''
    return f' in process {_board.rank} of {_board.world} (from 0)'


def describe_stop(rank: int, failed: int, reason: str) -> str:
    """Return a line for a process that stops because another has failed.

    Example:
        >>> describe_stop(0, 1, 'ConfigError: The config cannot run')
        'Process 0 stops: process 1 has failed (ConfigError: The config cannot run).'
    """
    first_line = reason.splitlines()[0] if reason else 'no reason'
    if reason == LOST:
        return f'Process {rank} stops: another process has ended without a message.'
    return f'Process {rank} stops: process {failed} has failed ({first_line}).'

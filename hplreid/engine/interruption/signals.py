"""Stop a run where it can go on, when a scheduler or a user asks for it."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import torch
from mmengine.dist import all_reduce, get_world_size, is_main_process

from hplreid.utils.log import log

EXIT_CODE = 75
"""Exit code of a run that was stopped and can go on: ``EX_TEMPFAIL``, try again."""

# SIGUSR1 is what Slurm's `--signal=USR1@120` sends before the time limit. Windows has
# no such signal.
SIGNALS = tuple(
    getattr(signal, name)
    for name in ('SIGTERM', 'SIGINT', 'SIGUSR1')
    if hasattr(signal, name)
)
_MOST_STEPS = 50  # between two votes, however short steps are


class RunInterrupted(SystemExit):
    """A run was asked to stop; a program that doesn't catch it exits with 75.

    Args:
        name: The signal, for messages.
    """

    def __init__(self, name: str) -> None:
        super().__init__(EXIT_CODE)
        self.name = name


class _Request:
    """The signal that has asked this process to stop, and what to do with one."""

    name: str | None = None
    deferred = False


_request = _Request()


@contextmanager
def stop_on_signals() -> Iterator[None]:
    """Turn SIGTERM, SIGINT and SIGUSR1 within a ``with`` block into a planned stop.

    Where nothing would be lost, the first of them raises :class:`RunInterrupted` at
    once; within :func:`deferred` it is kept for :class:`StopVote`. From then on SIGINT
    (a second Ctrl-C) kills the process at once, and others are ignored: schedulers
    repeat them. Programs use it; a library leaves signals alone.

    Raises:
        RunInterrupted: From within the block, after a line that says how to go on.

    Example:
        >>> with stop_on_signals():
        ...     print('Here SIGTERM stops a training after its step.')
        Here SIGTERM stops a training after its step.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # Python delivers signals to the main thread only
        return
    _request.name = None
    before = {number: signal.signal(number, _receive) for number in SIGNALS}
    try:
        yield
    except RunInterrupted as stop:
        log(
            f'{stop.name}: stopped with exit code {EXIT_CODE}. The same command with '
            '--resume goes on from the last checkpoint.'
        )
        raise
    finally:
        for number, handler in before.items():
            if _request.name is None:
                signal.signal(number, handler)
            elif number != signal.SIGINT:
                # The interpreter's end takes a moment: the exit code is to stay
                signal.signal(number, signal.SIG_IGN)


def _receive(number: int, frame: FrameType | None) -> None:
    """Handle a signal: stop at once, or leave word."""
    del frame
    if _request.name is not None:
        return
    _request.name = signal.Signals(number).name
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if not _request.deferred:
        raise RunInterrupted(_request.name)
    if is_main_process():
        # Not by a logger: it may be in the middle of a line
        text = f'\n{_request.name}: saving a checkpoint after this step, then stopping.'
        os.write(2, f'{text}\n'.encode())


@contextmanager
def deferred() -> Iterator[None]:
    """Keep signals for :class:`StopVote` within a ``with`` block of training steps.

    Raises:
        RunInterrupted: At the end of the block, if one came after the last step.
    """
    before, _request.deferred = _request.deferred, True
    try:
        yield
    finally:
        _request.deferred = before
    if not before and _request.name is not None:
        raise RunInterrupted(_request.name)


@contextmanager
def at_once() -> Iterator[None]:
    """Let signals stop the run at once within a ``with`` block in which all is saved.

    Raises:
        RunInterrupted: One comes, or came before.
    """
    before, _request.deferred = _request.deferred, False
    try:
        if _request.name is not None:
            raise RunInterrupted(_request.name)
        yield
    finally:
        _request.deferred = before


class StopVote:
    """Lets all processes of a run stop after the same step.

    A scheduler's signal reaches processes at different steps, or only one of them. They
    vote every so many steps, about every ``seconds``, since a vote waits for the
    device; a single process asks nobody.

    Args:
        seconds: Time between two votes.
    """

    def __init__(self, seconds: float = 2.0) -> None:
        self.seconds = seconds
        self._interval = self._left = 1
        self._last = time.monotonic()

    def stop(self) -> str | None:
        """Return the name of the signal if the run is to stop after this step.

        Every process must call it after every step.
        """
        if get_world_size() == 1:
            return _request.name
        self._left -= 1
        if self._left:
            return None
        now = time.monotonic()
        per_step = max(now - self._last, 1e-6) / self._interval
        wish = min(max(int(self.seconds / per_step), 1), _MOST_STEPS)
        vote = torch.tensor([_request.name is not None, wish], dtype=torch.int64)
        all_reduce(vote, 'max')
        self._last, self._interval = now, int(vote[1])
        self._left = self._interval
        return (_request.name or 'a signal to another process') if vote[0] else None

"""Signals stop a run where nothing is lost; a second SIGINT kills at once."""

import os
import signal
import subprocess
import sys

import pytest
import torch

from hplreid.engine.interruption import signals
from hplreid.engine.interruption.signals import (
    RunInterrupted,
    StopVote,
    at_once,
    deferred,
    stop_on_signals,
)


@pytest.fixture(autouse=True)
def _restored():
    before = {number: signal.getsignal(number) for number in signals.SIGNALS}
    yield
    signals._request.name = None
    for number, handler in before.items():
        signal.signal(number, handler)


def send(number):
    os.kill(os.getpid(), number)


@pytest.mark.parametrize('number', signals.SIGNALS)
def test_a_signal_stops_at_once_where_nothing_is_lost(number):
    with pytest.raises(RunInterrupted) as stop, stop_on_signals():
        send(number)
    assert stop.value.code == 75
    assert stop.value.name == number.name


def test_a_signal_within_steps_waits_for_the_vote(capfd):
    with pytest.raises(RunInterrupted), stop_on_signals(), deferred():  # noqa: PT012
        vote = StopVote()
        assert vote.stop() is None
        send(signal.SIGTERM)
        send(signal.SIGTERM)  # repeated by a scheduler
        assert vote.stop() == 'SIGTERM'
        assert signal.getsignal(signal.SIGINT) == signal.SIG_DFL
    assert capfd.readouterr().err.count('SIGTERM: saving a checkpoint') == 1
    # Until the interpreter has ended
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN


def test_where_all_is_saved_a_signal_that_waits_stops_the_run():
    reached = []
    with pytest.raises(RunInterrupted), stop_on_signals(), deferred():  # noqa: PT012
        send(signal.SIGUSR1)
        reached.append('step')
        with at_once():
            reached.append('validation')
    assert reached == ['step']


def test_without_a_signal_handlers_are_restored():
    before = signal.getsignal(signal.SIGTERM)
    with stop_on_signals(), deferred(), at_once():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before


def test_processes_vote_by_time_and_stop_together(monkeypatch):
    """Two processes, of which the other one has the signal after some steps."""
    votes, now = [], [0.0]
    other = {'stop': 0}

    def all_reduce(vote, op):
        assert op == 'max'
        votes.append(now[0])
        vote.copy_(torch.maximum(vote, torch.tensor([other['stop'], 1])))

    monkeypatch.setattr(signals, 'get_world_size', lambda: 2)
    monkeypatch.setattr(signals, 'all_reduce', all_reduce)
    monkeypatch.setattr(signals.time, 'monotonic', lambda: now[0])
    vote, stopped = StopVote(seconds=2), None
    for step in range(60):
        now[0] += 0.25
        if step == 20:
            other['stop'] = 1
        stopped = vote.stop()
        if stopped:
            break
    assert stopped == 'a signal to another process'
    assert now[0] <= 0.25 * 21 + 2
    gaps = [b - a for a, b in zip(votes[1:], votes[2:], strict=False)]
    assert set(gaps) == {2.0}


PROGRAM = """
import time
from hplreid.engine.interruption.signals import *
from hplreid.engine.interruption.signals import deferred
from torch.utils.data import DataLoader
from hplreid.engine.interruption.worker_signals import shield_workers

class Slow:
    def __len__(self):
        return 400
    def __getitem__(self, index):
        time.sleep(0.05)
        return index

if __name__ == '__main__':
    with stop_on_signals(), deferred():
        for step, batch in enumerate(shield_workers(DataLoader(Slow(), num_workers=1))):
            print('step', step, flush=True)
"""


def test_workers_outlive_a_signal_to_all_and_a_second_sigint_kills(tmp_path):
    path = tmp_path / 'program.py'
    path.write_text(PROGRAM)
    process = subprocess.Popen(
        [sys.executable, path],
        stdout=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    for _ in range(3):
        process.stdout.readline()
    os.killpg(process.pid, signal.SIGTERM)  # the program and its worker
    lines = [process.stdout.readline() for _ in range(5)]
    assert all(line.startswith('step') for line in lines)
    assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(20) == -signal.SIGINT
    process.stdout.close()

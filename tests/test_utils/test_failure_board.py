"""When a process fails, the others stop, and the reason is printed once."""

import multiprocessing
import os
import signal
import socket
import sys
import time
from argparse import Namespace

import pytest
import torch

from hplreid.engine.data_parallel import init_distributed
from hplreid.utils import failure_board
from hplreid.utils.run_tool import run_tool
from hplreid.utils.user_error import UserError
from tests.test_evaluation import processes  # noqa: F401  (what its server preloads)

IMAGE = 'data/0007_c1s1_000451_00.jpg'


class UnreadableError(UserError, ValueError):
    pass


def step():
    torch.distributed.all_reduce(torch.ones(1))


def raise_in_one(rank):
    for i in range(100):
        if rank == 1 and i == 5:
            raise UnreadableError(f"'{IMAGE}' can't be decoded")
        step()


def bug_in_one(rank):
    if rank == 1:
        raise KeyError('a bug')
    step()


def raise_in_all(rank):
    step()
    raise UnreadableError('model.num_ids=-1')


def killed(rank):
    step()
    if rank == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    step()


def waits_for_ever(rank):
    """As a collective of NCCL does, which notices nothing."""
    step()
    if rank == 1:
        raise UnreadableError(f"'{IMAGE}' can't be decoded")
    time.sleep(60)


def main(args):
    init_distributed('pytorch', dict(backend='nccl', timeout=60))
    args.work(args.rank)


def start(rank, port, folder, work):
    os.environ.update(
        RANK=str(rank),
        LOCAL_RANK=str(rank),
        WORLD_SIZE='2',
        MASTER_ADDR='127.0.0.1',
        MASTER_PORT=str(port),
    )
    torch.set_num_threads(1)
    failure_board.POLL, failure_board.GRACE, failure_board.LINGER = 0.2, 1.0, 0.5
    with open(folder / f'{rank}.txt', 'w', buffering=1) as sys.stderr:
        run_tool(main, Namespace(rank=rank, work=work))


@pytest.fixture
def run(tmp_path):
    """A function that runs two processes; it returns exit codes and what they print."""

    def run(work):
        with socket.socket() as free:
            free.bind(('127.0.0.1', 0))
            port = free.getsockname()[1]
        context = multiprocessing.get_context('forkserver')
        both = [
            context.Process(target=start, args=(rank, port, tmp_path, work))
            for rank in range(2)
        ]
        for process in both:
            process.start()
        begin = time.monotonic()
        for process in both:
            process.join(60)
        assert time.monotonic() - begin < 60
        printed = [(tmp_path / f'{rank}.txt').read_text() for rank in range(2)]
        return [process.exitcode for process in both], printed

    return run


def test_the_reason_is_printed_once_and_all_stop(run):
    codes, (first, second) = run(raise_in_one)
    assert codes == [1, 2]
    expected = f"Error in process 1 of 2 (from 0): '{IMAGE}' can't be decoded\n"
    assert second == expected
    assert first == (
        'Process 0 stops: process 1 has failed (UnreadableError: '
        f"'{IMAGE}' can't be decoded).\n"
    )


def test_a_bug_shows_the_traceback_of_the_process_that_has_it(run):
    codes, (first, second) = run(bug_in_one)
    assert codes == [1, 1]
    assert "KeyError: 'a bug'" in second
    assert 'a bug in hplreid in process 1 of 2' in second
    assert first == "Process 0 stops: process 1 has failed (KeyError: 'a bug').\n"


def test_an_error_of_all_is_printed_by_one(run):
    codes, printed = run(raise_in_all)
    assert codes == [2, 2]
    assert ''.join(printed).count('model.num_ids=-1') == 1


def test_a_killed_process_stops_the_others(run):
    codes, (first, _) = run(killed)
    assert codes == [1, -signal.SIGKILL]
    assert first == f'Error: {failure_board.LOST}\n'


def test_a_process_that_waits_for_ever_is_ended(run):
    codes, (first, second) = run(waits_for_ever)
    assert codes == [1, 2]
    assert IMAGE in second
    assert first.startswith('Process 0 stops: process 1 has failed (UnreadableError')


def test_in_one_process_there_is_no_board():
    assert failure_board.post_failure(ValueError('x')) is None

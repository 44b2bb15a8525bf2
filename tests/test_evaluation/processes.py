"""Start several processes of one group without importing everything in each.

A server imports once, before any thread runs, and its children are forks of it.
"""

import multiprocessing
import socket

import torch
import torch.multiprocessing as mp

multiprocessing.set_forkserver_preload(
    [
        'hplreid.models',
        'hplreid.visualization',
        'tests.test_engine.test_loops.test_benchmark_loop',
        'tests.test_evaluation.test_metrics.test_retrieval_metric',
    ]
)


def run_group(work, world, *args):
    """Call ``work(rank, world, *args)`` in each process of a group."""
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    mp.start_processes(
        _join, (work, world, port, args), nprocs=world, start_method='forkserver'
    )


def _join(rank, work, world, port, args):
    torch.set_num_threads(1)
    torch.distributed.init_process_group(
        'gloo', f'tcp://127.0.0.1:{port}', world_size=world, rank=rank
    )
    work(rank, world, *args)
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()

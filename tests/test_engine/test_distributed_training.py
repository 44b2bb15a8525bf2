"""Two processes train and resume as one process with the same global batch."""

import os
import socket

import mmengine.runner.runner
import pytest
import torch
import torch.multiprocessing as mp
from mmengine.runner import Runner

from hplreid.engine import ReIDDataParallel
from hplreid.engine.data_parallel import init_distributed
from hplreid.engine.loops.stage_dataloader import batch_size_per_process

from .engine_toy import toy_config

# Within an epoch of either stage, and the last step of the first stage
STOPS = (4, 6, 10)


def run(folder, launcher, dropout=0.0, load_from=None):
    """Train with a checkpoint at every step; return the runner."""
    checkpoint = dict(type='AtomicCheckpointHook', interval=1, by_epoch=False)
    config = toy_config(folder, default_hooks=dict(checkpoint=checkpoint))
    config.model.dropout = dropout
    config.launcher = launcher
    config.update(resume=load_from is not None, load_from=load_from)
    config.experiment_name = folder.name
    runner = Runner.from_cfg(config)
    runner.train()
    assert isinstance(runner.model, ReIDDataParallel) == (launcher == 'pytorch')
    return runner


def work(rank, port, folder):
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    os.environ.update(
        RANK=str(rank),
        LOCAL_RANK=str(rank),
        WORLD_SIZE='2',
        MASTER_ADDR='127.0.0.1',
        MASTER_PORT=str(port),
    )
    mmengine.runner.runner.collect_env = (
        dict  # see conftest.py; this is another process
    )
    init_distributed('pytorch', dict(backend='nccl', timeout=60))
    run(folder / 'plain', 'pytorch')
    # With dropout each process has a random state of its own to restore
    run(folder / 'dropout', 'pytorch', 0.3)
    for stop in STOPS:
        path = folder / 'dropout' / f'iter_{stop}.pth'
        run(folder / f'resumed_{stop}', 'pytorch', 0.3, str(path))


@pytest.fixture(scope='module')
def both(tmp_path_factory):
    """A function that reads the last checkpoint of a run of two processes."""
    folder = tmp_path_factory.mktemp('both')
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        port = s.getsockname()[1]
    mp.spawn(work, (port, folder), nprocs=2)
    return lambda name: torch.load(folder / name / 'iter_15.pth', weights_only=True)


@pytest.fixture
def _float64():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.usefixtures('_float64')
def test_two_processes_train_to_the_weights_of_one(both, tmp_path):
    one = run(tmp_path, 'none').model.state_dict()
    two = both('plain')['state_dict']
    assert one.keys() == two.keys()
    for name, weight in one.items():
        torch.testing.assert_close(two[name], weight, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize('stop', STOPS)
def test_two_processes_resume_exactly(both, stop):
    unbroken, resumed = both('dropout'), both(f'resumed_{stop}')
    assert resumed['stage']['processes'] == 2
    states = resumed['meta']['rng_states']
    assert len(states) == 2
    for name, weight in unbroken['state_dict'].items():
        assert torch.equal(resumed['state_dict'][name], weight), name
    for old, new in zip(unbroken['meta']['rng_states'], states, strict=True):
        assert torch.equal(old['torch'], new['torch'])


def test_the_global_batch_is_divided_equally():
    assert batch_size_per_process(8, 2) == 4
    with pytest.raises(ValueError, match='batch_size=8 .* not a multiple of .* 3'):
        batch_size_per_process(8, 3)

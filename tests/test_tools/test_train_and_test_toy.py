"""tools/train.py and tools/test.py as programs, on a tiny model."""

import json
import os
import re
import runpy
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.logging import MessageHub, MMLogger
from mmengine.visualization import Visualizer

from hplreid.engine import precision
from hplreid.evaluation.files import read_scores
from hplreid.utils.checkpoints.weights_file import read_weights
from tests.test_engine.engine_toy import toy_config
from tests.test_engine.test_sharding.sharded_toy import needs_fully_shard

ROOT = Path(__file__).resolve().parents[2]
SHARDED = ('--cfg-options', 'model_wrapper_cfg.type=ReIDFullySharded')


@pytest.fixture
def call(monkeypatch, capfd):
    """A function that runs a tool and returns its exit code and output."""

    def call(tool, *arguments):
        monkeypatch.setattr(sys, 'argv', [tool, *map(str, arguments)])
        for kept in (MMLogger, MessageHub, Visualizer):  # found by name, to the second
            kept._instance_dict.clear()
        code = None
        try:
            runpy.run_path(str(ROOT / 'tools' / tool), run_name='__main__')
        except SystemExit as error:
            code = error.code
        return code, capfd.readouterr()

    return call


@pytest.fixture
def config(tmp_path):
    """A config file of the toy model with a benchmark."""
    return write(tmp_path)


def write(folder, **changes):
    loader = dict(batch_size=8, num_workers=0, dataset=dict(type='ToyNumbers'))
    config = toy_config(folder, log_level='INFO')
    config.pop('work_dir')
    config.model.pop('num_ids')
    config.update(
        custom_imports=dict(imports=['tests.test_engine.engine_toy']),
        test_cfg=dict(type='BenchmarkLoop'),
        test_dataloader=dict(toy=loader),
        test_evaluator=dict(toy=dict(type='ToyScore')),
    )
    config.merge_from_dict(changes)
    path = folder / 'toy.py'
    config.dump(path)
    return path


def metrics(folder):
    return read_scores(folder / 'metrics.json')[0]


def weights(path):
    return torch.load(path, weights_only=True)['state_dict']


def test_train_resume_and_test(call, config, tmp_path):
    full, half = tmp_path / 'full', tmp_path / 'half'
    code, printed = call('train.py', config, '--work-dir', full)
    assert code is None
    assert 'toy/mean' in metrics(full)
    # The saved config has the number of identities
    assert re.search(r'num_ids=3', (full / 'toy.py').read_text())

    # Stop after the first epoch of stage II, then resume
    call(
        'train.py',
        *(config, '--work-dir', half, '--no-test'),
        *('--cfg-options', 'train_cfg.stages.align.epochs=1'),
    )
    assert not (half / 'metrics.json').exists()
    assert (half / 'last_checkpoint').read_text().endswith('epoch_3.pth')
    call('train.py', config, '--work-dir', half, '--resume', full / 'epoch_3.pth')
    ours, theirs = weights(half / 'epoch_5.pth'), weights(full / 'epoch_5.pth')
    assert all(torch.equal(ours[k], theirs[k]) for k in theirs)
    assert metrics(half) == metrics(full)

    out = tmp_path / 'scores.json'
    code, printed = call(
        'test.py', config, full / 'epoch_5.pth', '--work-dir', tmp_path, '--out', out
    )
    assert code is None
    assert read_scores(out)[0] == metrics(full)
    # The file of weights alone scores the same, and knows what it was trained on
    final = full / 'final.safetensors'
    kept = read_weights(final)['state_dict']
    assert kept.keys() == theirs.keys()
    assert all(torch.equal(kept[k], theirs[k]) for k in theirs)
    meta = read_weights(final)['meta']
    assert meta['dataset_meta']['label_of'] == {100: 0, 200: 1, 300: 2}
    assert 'num_ids=3' in meta['cfg']
    out.unlink()
    call('test.py', config, final, '--work-dir', tmp_path, '--out', out)
    assert read_scores(out)[0] == metrics(full)
    line = (
        'loaded all 4 tensors of ToyModel; left out prompt (1), heads (2), which only'
    )
    assert line in printed.out + printed.err


def test_resume_finds_the_last_checkpoint(call, config, tmp_path):
    arguments = (config, '--work-dir', tmp_path / 'run')
    call('train.py', *arguments, '--no-test')
    code, printed = call('train.py', *arguments, '--resume')
    assert code is None
    assert 'epoch_5.pth: 5 epochs, 15 steps are done' in printed.out
    assert 'toy/mean' in metrics(tmp_path / 'run')


def test_several_seeds(call, config, tmp_path):
    _, printed = call('train.py', config, '--work-dir', tmp_path, '--seeds', 1, 2)
    scores = [metrics(tmp_path / f'seed_{seed}')['toy/mean'] for seed in (1, 2)]
    assert scores[0] != scores[1]
    summary = json.loads((tmp_path / 'seeds.json').read_text())['toy/mean']
    assert summary['values'] == scores
    assert summary['mean'] == pytest.approx(sum(scores) / 2)
    assert re.search(
        r'score +\| +seed 1 +\| +seed 2 +\| +mean +\| +spread', printed.out
    )

    call('train.py', config, '--work-dir', tmp_path / 'alone', '--seed', 2)
    assert metrics(tmp_path / 'alone')['toy/mean'] == scores[1]


def test_amp(call, config, tmp_path, monkeypatch):
    monkeypatch.setattr(precision, '_computes_bf16', lambda device: (True, 'it can'))
    trained, plain = tmp_path / 'amp', tmp_path / 'plain'
    call('train.py', config, '--work-dir', trained, '--amp')
    call('train.py', config, '--work-dir', plain)
    assert metrics(trained) != metrics(plain)
    checkpoint = plain / 'epoch_5.pth'
    call('test.py', config, checkpoint, '--work-dir', plain, '--amp', '--tag', 'amp')
    rounded = metrics(plain / 'test' / 'amp')['toy/mean']
    exact = metrics(plain)['toy/mean']
    assert exact != rounded
    assert rounded == pytest.approx(exact, rel=0.1, abs=0.02)


def test_problems_of_a_config_are_printed(call, tmp_path):
    path = write(tmp_path, train_dataloader=dict(dataset=dict(shift=-1)))
    code, printed = call('train.py', path, '--work-dir', tmp_path / 'run')
    assert code == 2
    message = f'Error: {path} cannot run, 1 problem:\n  1. shift=-1 is negative\n'
    assert printed.err == message
    assert not (tmp_path / 'run').exists()


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (None, "none.pth' does not exist"),
        (dict(state_dict={'visual.conv1': torch.ones(1)}), 'weights of a CLIP'),
    ],
)
def test_problems_of_a_checkpoint_are_printed(call, config, tmp_path, content, message):
    path = tmp_path / 'none.pth'
    if content:
        torch.save(content, path)
    code, printed = call('test.py', config, path, '--work-dir', tmp_path / 'run')
    assert code == 2
    assert message in printed.err
    assert 'Traceback' not in printed.err


@pytest.fixture
def script():
    """A function that runs a shell script of two processes."""
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        port = s.getsockname()[1]
    binaries = Path(sys.executable).parent  # has torchrun
    environment = dict(
        os.environ,
        PORT=str(port),
        OMP_NUM_THREADS='1',
        PATH=f'{binaries}{os.pathsep}{os.environ["PATH"]}',
    )

    def run(name, *arguments):
        command = ['bash', f'tools/{name}', *map(str, arguments)]
        subprocess.run(command, cwd=ROOT, env=environment, check=True)

    return run


def test_two_processes_by_the_shell_scripts(call, script, tmp_path):
    config = write(tmp_path, model=dict(dropout=0.0))
    call('train.py', config, '--work-dir', tmp_path / 'one')
    script('dist_train.sh', config, 2, '--work-dir', tmp_path / 'two')
    checkpoint = tmp_path / 'one' / 'epoch_5.pth'
    script('dist_test.sh', config, checkpoint, 2, '--work-dir', tmp_path)
    one = metrics(tmp_path / 'one')['toy/mean']
    assert metrics(tmp_path / 'two')['toy/mean'] == pytest.approx(one, abs=1e-5)
    (tested,) = (tmp_path / 'test').iterdir()  # one for both processes
    assert metrics(tested)['toy/mean'] == pytest.approx(one, abs=1e-5)


@needs_fully_shard
def test_two_processes_in_shards_by_the_shell_script(call, script, tmp_path):
    config = write(tmp_path, model=dict(dropout=0.0))
    call('train.py', config, '--work-dir', tmp_path / 'one')
    script('dist_train.sh', config, 2, '--work-dir', tmp_path / 'shards', *SHARDED)
    one = metrics(tmp_path / 'one')['toy/mean']
    assert metrics(tmp_path / 'shards')['toy/mean'] == pytest.approx(one, abs=1e-5)
    files = [tmp_path / kind / 'final.safetensors' for kind in ('one', 'shards')]
    weights, in_shards = (read_weights(path)['state_dict'] for path in files)
    torch.testing.assert_close(in_shards, weights, rtol=0, atol=1e-5)
    (log,) = (tmp_path / 'shards').glob('*/*.log')
    assert 'keeps 0.0 of 0.0 MiB of parameters' in log.read_text()

"""A training in shards is the one of whole weights: steps, files, scores, resumes."""

import signal

import pytest
import torch
from torch.multiprocessing import ProcessExitedException

from hplreid.engine.interruption import RunInterrupted, stop_on_signals
from tests.test_evaluation.processes import run_group

from .sharded_toy import needs_fully_shard, run, work

pytestmark = needs_fully_shard

# Within an epoch of either stage, once with a gradient accumulated
STOPS = (3, 10)
LAST = 'iter_15.pth'


def read(folder, name=LAST):
    return torch.load(folder / name, weights_only=True)


def check(found, expected, tolerance=1e-10):
    """Compare weights, states of the optimizer and gradients of two checkpoints."""
    for key in ('state_dict', 'optimizer'):
        gap = difference(found[key], expected[key])
        assert gap <= tolerance, (key, gap)
    assert found['param_schedulers'] == expected['param_schedulers']


def difference(found, expected):
    """Return the largest difference of two nested values, which have the same keys."""
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        return max((difference(found[k], v) for k, v in expected.items()), default=0)
    if isinstance(expected, list):
        pairs = zip(found, expected, strict=True)
        return max((difference(*pair) for pair in pairs), default=0)
    if isinstance(expected, torch.Tensor):
        assert found.dtype == expected.dtype
        assert type(found) is torch.Tensor
        return float((found - expected).abs().max())
    if isinstance(expected, float):
        return abs(found - expected)
    assert found == expected
    return 0


@pytest.fixture(scope='module')
def runs(tmp_path_factory):
    """The folder of runs of one process and of two, broken and unbroken ones."""
    folder = tmp_path_factory.mktemp('runs')
    run(folder / 'one', sharded=False)
    here = dict(dropped=dict(dropout=0.3), sharded={})
    here['whole'] = dict(sharded=False)
    for stop in STOPS:
        path = folder / 'dropped' / f'iter_{stop}.pth'
        here[f'dropped_{stop}'] = dict(resume=str(path), dropout=0.3)
        here[f'from_one_{stop}'] = dict(resume=str(folder / 'one' / path.name))
    sharded = str(folder / 'sharded' / 'iter_3.pth')
    here['to_whole'] = dict(resume=sharded, sharded=False)
    run_group(work, 2, folder, here)
    return folder


def test_steps_are_those_of_one_process_and_of_whole_weights(runs):
    for step in range(1, 16):
        sharded = read(runs / 'sharded', f'iter_{step}.pth')
        check(sharded, read(runs / 'one', f'iter_{step}.pth'))
        check(sharded, read(runs / 'whole', f'iter_{step}.pth'))
    assert ('gradients' in read(runs / 'sharded', 'iter_4.pth')['optimizer']) is False
    assert len(read(runs / 'sharded', 'iter_3.pth')['optimizer']['gradients']) == 1


def test_each_process_has_half_of_parameters_and_states(runs):
    """Of 3 rows one process has two; the scalar is in both."""
    first, second = (torch.load(runs / f'sharded_{rank}.pt') for rank in range(2))
    # tower 6x4 + 6 + 3x6 + 3, prompt 3x3, head 3x3 + 3, scalar
    assert first[0][0] == 12 + 3 + 12 + 2 + 6 + 6 + 2 + 1
    assert second[0][0] == 12 + 3 + 6 + 1 + 3 + 3 + 1 + 1
    assert (first[0][1], second[0][1]) == (6, 3)  # moments of the prompt
    assert (first[-1][1], second[-1][1]) == (38, 27)  # of all the others
    whole = torch.load(runs / 'whole_0.pt')
    assert whole[-1] == (73, 64)


def test_scores_of_every_epoch_and_the_best_checkpoint(runs):
    scores = {}
    for kind in ('one', 'sharded', 'whole'):
        hub = read(runs / kind)['message_hub']['log_scalars']
        scores[kind] = torch.as_tensor(hub['val/toy/mean']['values'])
        (best,) = (runs / kind).glob('best_*.pth')
        scores[f'best of {kind}'] = best.name
        if kind != 'one':
            weights = read(runs / kind, best.name)['state_dict']
            of_one = read(runs / 'one', best.name)['state_dict']
            assert difference(weights, of_one) < 1e-10
    assert len(scores['one']) == 4  # the last step's file is of before its validation
    for kind in ('sharded', 'whole'):
        torch.testing.assert_close(scores[kind], scores['one'], rtol=0, atol=1e-6)
        assert scores[f'best of {kind}'] == scores['best of one']


@pytest.mark.parametrize(
    ('kind', 'count'), [('gradient_norm', 3), ('weight_norm', 3), ('update_ratio', 3)]
)
def test_norms_in_the_log_are_those_of_one_process(runs, kind, count):
    hubs = [read(runs / r)['message_hub']['log_scalars'] for r in ('sharded', 'one')]
    names = [name for name in hubs[1] if name.startswith(f'train/{kind}/')]
    assert len(names) == count
    for name in names:
        found, expected = (hub[name]['values'] for hub in hubs)
        assert expected.max() > 1e-3
        torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize('stop', STOPS)
def test_shards_resume_bit_for_bit(runs, stop):
    found, expected = read(runs / f'dropped_{stop}'), read(runs / 'dropped')
    check(found, expected, tolerance=0)
    assert not torch.equal(
        expected['state_dict']['tower.0.weight'],
        read(runs / 'sharded')['state_dict']['tower.0.weight'],
    )


@pytest.mark.parametrize('stop', STOPS)
def test_shards_resume_what_one_process_began(runs, stop):
    check(read(runs / f'from_one_{stop}'), read(runs / 'one'), tolerance=1e-12)


@pytest.mark.parametrize('stop', STOPS)
def test_whole_weights_resume_what_shards_began(runs, stop, tmp_path):
    one = run(
        tmp_path, resume=str(runs / 'sharded' / f'iter_{stop}.pth'), sharded=False
    )
    assert not hasattr(one.model, 'module')
    check(read(tmp_path), read(runs / 'one'), tolerance=1e-12)


def test_two_processes_with_whole_weights_resume_what_shards_began(runs):
    check(read(runs / 'to_whole'), read(runs / 'one'), tolerance=1e-12)


def test_a_killed_training_goes_on_bit_for_bit(runs, tmp_path):
    broken = dict(broken=dict(dropout=0.3, sent=int(signal.SIGKILL)))
    with pytest.raises(ProcessExitedException, match='SIGKILL'):
        run_group(work, 2, tmp_path, broken)
    go_on(runs, tmp_path)


def stop(rank, world, folder):
    broken = dict(broken=dict(dropout=0.3, sent=int(signal.SIGTERM)))
    with stop_on_signals(), pytest.raises(RunInterrupted):
        work(rank, world, folder, broken)


def test_a_training_that_was_asked_to_stop_goes_on_bit_for_bit(runs, tmp_path):
    run_group(stop, 2, tmp_path)
    go_on(runs, tmp_path)


def go_on(runs, folder):
    last = (folder / 'broken' / 'last_checkpoint').read_text()
    assert last.rpartition('_')[2] in ('7.pth', '8.pth', '9.pth')
    run_group(work, 2, folder, dict(broken=dict(dropout=0.3, resume=True)))
    check(read(folder / 'broken'), read(runs / 'dropped'), tolerance=0)

"""The checks for a GPU, on a CPU: what passes, and what must not."""

import itertools

import pytest
import torch
from mmengine.registry import init_default_scope

from hplreid.engine.measurement import gpu_checks
from hplreid.engine.measurement.gpu_checks import (
    CHECKS,
    CheckOptions,
    compare_losses,
)
from hplreid.engine.measurement.methods import METHODS, stages_of

SMALL = CheckOptions('cpu', small=True, methods=('bot',), steps=2)


@pytest.fixture(autouse=True)
def _scope():
    init_default_scope('hplreid')


def test_a_difference_beyond_the_bound_fails():
    expected = [dict(loss=2.0, loss_a=1.0), dict(loss=2.0, loss_a=1.0)]
    close = [dict(loss=2.0, loss_a=1.09), dict(loss=2.0, loss_a=1.0)]
    far = [dict(loss=2.0, loss_a=1.0), dict(loss=2.0, loss_a=1.11)]
    assert compare_losses('x', expected, close, (0.05, 0.05)).passed
    row = compare_losses('x', expected, far, (0.05, 0.05))
    assert not row.passed
    assert row.value == 'loss_a 1.11 for 1 in step 2; last loss 2'
    later = [*expected, dict(loss=float('nan'))]  # which isn't compared
    row = compare_losses('x', expected, later, (0.05, 0.05))
    assert not row.passed
    assert row.value == 'a loss is not finite'


@pytest.mark.parametrize('name', ['training', 'throughput', 'memory'])
def test_rows_of_every_stage(name):
    options = CheckOptions('cpu', small=True, methods=('clip_reid',), steps=2)
    rows = list(CHECKS[name](options))
    stages = [s for s in ('prompt', 'encoder') for _ in range(1 + (name == 'training'))]
    assert len(rows) == len(stages)
    for row, stage in zip(rows, stages, strict=True):
        assert f'clip_reid {stage},' in row.what
        assert row.passed


def test_another_loss_on_the_device_is_found(monkeypatch):
    calls = itertools.count()
    run = gpu_checks._run_steps

    def run_wrongly(*args):
        losses = run(*args)
        shift = 0.2 if next(calls) == 2 else 0.0  # the CPU, fp32, half precision
        return [{k: v + shift for k, v in step.items()} for step in losses]

    monkeypatch.setattr(gpu_checks, '_run_steps', run_wrongly)
    assert [row.passed for row in CHECKS['training'](SMALL)] == [True, False]


def test_another_ranking_on_the_device_is_found(monkeypatch):
    evaluate, calls = gpu_checks.evaluate_ranking, itertools.count()

    def evaluate_wrongly(query, *args):
        return evaluate(query.flip(0) if next(calls) else query, *args)

    assert [row.passed for row in CHECKS['ranking'](SMALL)] == [True, True]
    monkeypatch.setattr(gpu_checks, 'evaluate_ranking', evaluate_wrongly)
    assert [row.passed for row in CHECKS['ranking'](SMALL)] == [False, True]


def test_another_end_of_a_resumed_run_is_found(monkeypatch):
    def train(folder, options, resume=None):
        return dict(a=torch.ones(2), b=torch.ones(2) * (1 + (resume is not None)))

    monkeypatch.setattr(gpu_checks, '_train', train)
    (row,) = CHECKS['resume'](SMALL)
    assert not row.passed
    assert row.value == "1 of 2 tensors differ ['b']"


def test_too_much_memory_fails(monkeypatch):
    monkeypatch.setattr(gpu_checks, 'MEMORY_BOUND', 1000)
    (row,) = CHECKS['memory'](SMALL)
    assert not row.passed


@pytest.mark.parametrize('small', [False, True])
def test_configs_of_methods_can_be_read(small):
    for method in METHODS.values():
        config = method.read(small)
        assert set(method.timed) <= {stage.name for stage in stages_of(config)}


@pytest.mark.gpu
@pytest.mark.parametrize('name', ['ranking', 'resume', 'training', 'memory'])
def test_a_gpu_passes_the_small_checks(name, monkeypatch):
    monkeypatch.setenv('CUBLAS_WORKSPACE_CONFIG', ':4096:8')
    rows = list(CHECKS[name](CheckOptions('cuda', small=True, steps=3)))
    assert rows
    assert [row for row in rows if not row.passed] == []

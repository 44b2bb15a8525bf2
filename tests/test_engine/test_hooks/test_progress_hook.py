"""Lines come at the first step of a stage, then by time; they say what is left."""

import re
from types import SimpleNamespace

import pytest

from hplreid.engine.hooks import progress_hook
from hplreid.engine.hooks.progress_hook import ProgressHook
from tests.test_engine.engine_toy import toy_config, train

LINE = re.compile(
    r'step (\d+)/15, epoch (\d)/5, (\S+) left, (\S+) s/step, lr (\S+), loss (\S+)'
    r' \((pull|id) \S+, (pull|id) \S+\)'
)

AFTER_STEP = ProgressHook.after_train_iter


@pytest.fixture
def clock(monkeypatch):
    """A clock that only the test moves."""
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(progress_hook.time, 'monotonic', lambda: clock.now)
    return clock


def run(tmp_path, clock, monkeypatch, seconds, **options):
    """Return the lines of a run of 2 x 3 and 3 x 3 steps that take some seconds."""
    lines = []

    def step(self, runner, *args, **kwargs):
        clock.now += seconds
        runner.logger.info = lambda text, **_: lines.append(text)
        AFTER_STEP(self, runner, *args, **kwargs)

    monkeypatch.setattr(ProgressHook, 'after_train_iter', step)
    train(toy_config(tmp_path, custom_hooks=[dict(type='ProgressHook', **options)]))
    return [found.groups() for line in lines if (found := LINE.fullmatch(line))]


def test_short_steps_get_a_line_every_ten_seconds(tmp_path, clock, monkeypatch):
    lines = run(tmp_path, clock, monkeypatch, 4)
    # The first of each stage, of 6 and 9 steps; every third; the last
    assert [int(line[0]) for line in lines] == [1, 4, 7, 10, 13, 15]
    assert [int(line[1]) for line in lines] == [1, 2, 3, 4, 5, 5]
    assert [line[2] for line in lines][:2] == ['0:00:56', '0:00:44']
    assert {line[3] for line in lines} == {'4.00'}


def test_a_long_run_has_a_bounded_number_of_lines(tmp_path, clock, monkeypatch):
    # 15 steps of 40 s in at most 5 lines: one in 120 s, unless 60 s are the longest
    lines = run(tmp_path, clock, monkeypatch, 40, lines=5, longest=1000)
    assert [int(line[0]) for line in lines] == [1, 4, 7, 10, 13, 15]
    lines = run(tmp_path / 'b', clock, monkeypatch, 40, lines=5, longest=60)
    assert [int(line[0]) for line in lines] == [1, 3, 5, 7, 9, 11, 13, 15]


def test_losses_are_means_since_the_last_line(tmp_path, clock, monkeypatch):
    each = run(tmp_path, clock, monkeypatch, 40)
    some = run(tmp_path / 'b', clock, monkeypatch, 4)
    losses = {int(line[0]): float(line[5]) for line in each}
    assert len(losses) == 15
    for last, steps in ((4, 3), (10, 3), (15, 2)):
        mean = sum(losses[i] for i in range(last - steps + 1, last + 1)) / steps
        found = next(float(line[5]) for line in some if int(line[0]) == last)
        assert found == pytest.approx(mean, rel=1e-3)


def test_a_validation_does_not_start_the_clock_of_a_stage_anew(clock):
    lines = []
    loop = SimpleNamespace(stage='align', dataloader=range(2))
    runner = SimpleNamespace(
        train_loop=loop, val_loop=loop, _test_loop=None, hooks=[], iter=0, epoch=0,
        max_iters=20, max_epochs=2, logger=SimpleNamespace(info=lines.append),
        optim_wrapper=SimpleNamespace(get_lr=lambda: {'lr': [0.1]}),
        message_hub=SimpleNamespace(log_scalars={}),
    )  # fmt: skip
    hook = ProgressHook()
    hook.before_train(runner)
    for runner.iter in range(20):
        hook.before_train_iter(runner, 0)
        clock.now += 20
        hook.after_train_iter(runner, 0)
        if runner.iter == 9:
            hook.before_val_epoch(runner)
    assert {re.search(r'(\S+) s/step', line).group(1) for line in lines} == {'20.00'}
    assert '0:03:00 left' in lines[10]


def test_a_long_test_says_how_far_it_is(clock):
    lines = []
    runner = SimpleNamespace(
        test_loop=SimpleNamespace(dataloader=range(40)),
        logger=SimpleNamespace(info=lines.append),
    )
    hook = ProgressHook()
    hook.before_test_epoch(runner)
    for batch in range(40):
        clock.now += 3
        hook.after_test_iter(runner, batch)
    assert len(lines) == 10
    assert lines[0] == 'test: batch 4/40, 0:01:48 left for features'

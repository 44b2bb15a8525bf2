"""Say how far a run is, by the clock."""

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import BaseLoop, Runner

from hplreid.registry import HOOKS

from .loss_log_hook import LossLogHook

# A test's forward pass takes about a third of a training step, forward and backward
_TEST_SHARE = 1 / 3
_NUM_TERMS = 3  # of a loss in a line


@HOOKS.register_module()
class ProgressHook(Hook):
    """Prints the step, losses, speed and time left, of the first step and then by time.

    MMEngine's ``LoggerHook`` writes the same scalars every so many steps to the log
    file and to visualization backends, whatever the speed of the machine.

    Args:
        shortest: Least time between two lines, seconds.
        longest: Greatest time between two lines, seconds, if steps are shorter.
        lines: Number of lines of a whole training within these limits.
    """

    # Before MMEngine's LoggerHook, after LossLogHook has collected the losses
    priority = 'NORMAL'

    def __init__(
        self, shortest: float = 10, longest: float = 60, lines: int = 22
    ) -> None:
        self.shortest, self.longest, self.lines = shortest, longest, lines
        self._last = self._stage_start = self._start = self._test_start = 0.0
        self._stage: Any = None
        self._first_iter = self._last_iter = 0

    def before_train(self, runner: Runner) -> None:
        """Start the clock."""
        if runner._test_loop is not None:
            _ = runner.test_loop  # built now, its length counts for the time left
        self._start = time.monotonic()

    def before_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,  # noqa: ANN401
    ) -> None:
        """Measure each stage by itself: their steps take different times."""
        stage = getattr(runner.train_loop, 'stage', self)
        if stage is not self._stage:
            self._stage, self._last = stage, 0.0
            self._stage_start = time.monotonic()
            self._first_iter = self._last_iter = runner.iter

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,  # noqa: ANN401
        outputs: dict | None = None,
    ) -> None:
        """Print a line if one is due."""
        now, done = time.monotonic(), runner.iter + 1
        seconds = (now - self._stage_start) / (done - self._first_iter)
        left = (runner.max_iters - done + _test_steps(runner)) * seconds
        whole = now - self._start + left
        wait = min(max(self.shortest, whole / self.lines), self.longest)
        if not is_main_process() or now - self._last < wait and done < runner.max_iters:
            return
        for hook in runner.hooks:
            if isinstance(hook, LossLogHook):
                hook.fetch(runner)
        steps = done - self._last_iter
        self._last, self._last_iter = now, done
        runner.logger.info(
            f'step {done}/{runner.max_iters}, epoch {runner.epoch + 1}/'
            f'{runner.max_epochs}, {_show_time(left)} left, {seconds:.2f} s/step, '
            f'lr {_learning_rate(runner):.1e}, {_show_losses(runner, steps)}'
        )

    def before_test_epoch(self, runner: Runner) -> None:
        """Start the clock of a test."""
        self._last = self._test_start = time.monotonic()

    def before_val_epoch(self, runner: Runner) -> None:
        """Start the clock of a validation."""
        self.before_test_epoch(runner)

    def _after_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,  # noqa: ANN401
        outputs: Any = None,  # noqa: ANN401
        mode: str = 'test',
    ) -> None:
        now = time.monotonic()
        if mode == 'train' or not is_main_process() or now - self._last < self.shortest:
            return
        self._last = now
        loop = runner.test_loop if mode == 'test' else runner.val_loop
        done, total = batch_idx + 1, len(loop.dataloader)
        left = (now - self._test_start) / done * (total - done)
        runner.logger.info(
            f'{mode}: batch {done}/{total}, {_show_time(left)} left for features'
        )


def _test_steps(runner: Runner) -> float:
    """Return how many training steps the test will take, about."""
    loop = runner._test_loop
    if isinstance(loop, BaseLoop):
        return len(loop.dataloader) * _TEST_SHARE
    return 0


def _learning_rate(runner: Runner) -> float:
    """Return the learning rate before parameter-wise multipliers."""
    rates: Any = runner.optim_wrapper.get_lr()
    return (rates.get('base_lr') or next(iter(rates.values())))[0]


def _show_losses(runner: Runner, steps: int) -> str:
    """Return the means of the losses of the last steps: the sum and what adds most."""
    means = dict(_mean_losses(runner, steps))
    total = means.pop('loss', sum(means.values()))
    largest = sorted(means, key=lambda name: -abs(means[name]))[:_NUM_TERMS]
    terms = [f'{name.removeprefix("loss_")} {means[name]:.3g}' for name in largest]
    return f'loss {total:.4g}' + (f' ({", ".join(terms)})' if len(means) > 1 else '')


def _mean_losses(runner: Runner, steps: int) -> Iterator[tuple[str, float]]:
    for key, history in runner.message_hub.log_scalars.items():
        mode, _, name = key.partition('/')
        # Not gradient_norm/loss_id and the like, of other hooks
        if mode == 'train' and 'loss' in name and '/' not in name:
            yield name, history.mean(steps)


def _show_time(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))

"""Log losses without synchronizing with the device in every step."""

import logging
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from mmengine.hooks import LoggerHook, RuntimeInfoHook
from mmengine.runner import Runner
from torch import Tensor

from hplreid.datasets.errors import list_names
from hplreid.registry import HOOKS
from hplreid.utils.user_error import UserError

from ..config.check import ConfigError
from ..data_parallel import unwrap
from ..optimizers.autocast_optim_wrapper import AutocastOptimWrapper

_SKIPPED = 'skipped_steps'
_SHOWN = 8  # items of a batch in a message; the log file has all


class NonFiniteLossError(UserError, FloatingPointError):
    """A loss or a gradient is NaN or infinite."""


class _Step(NamedTuple):
    """A step whose losses are still on the device."""

    number: int
    terms: dict[str, Tensor]
    items: Sequence[Any]
    skipped: bool


@HOOKS.register_module()
class LossLogHook(RuntimeInfoHook):
    """MMEngine's ``RuntimeInfoHook``, which copies losses once per logging interval.

    Losses and the norm of the gradient stay on the device until the ``LoggerHook`` is
    about to print, an epoch ends or a checkpoint is saved, and are then copied to the
    CPU together. No checkpoint is written after a step with a loss that isn't finite.

    Args:
        non_finite: What to do when a loss or a gradient isn't finite. ``'stop'``, the
            default, stops the run. ``'skip'`` leaves the parameters as they are in that
            step, in all processes, and counts it as ``skipped_steps`` in the log; each
            step then waits for the device. It needs :class:`.AutocastOptimWrapper`.
        max_skipped: Number of skipped steps after which a run stops anyway. Defaults
            to 10.

    Raises:
        ValueError: ``non_finite`` is neither.
        NonFiniteLossError: A loss isn't finite; the message names it, the step, the
            stage and the items of the batch.
    """

    def __init__(self, non_finite: str = 'stop', max_skipped: int = 10) -> None:
        super().__init__()
        if non_finite not in ('stop', 'skip'):
            raise ValueError(
                f"LossLogHook: non_finite={non_finite!r}, expected 'stop' or 'skip'."
            )
        self.skips = non_finite == 'skip'
        self.max_skipped = max_skipped
        self._pending: list[_Step] = []
        self._interval = 1

    def before_train(self, runner: Runner) -> None:
        """Read the logging interval from the ``LoggerHook``."""
        super().before_train(runner)
        intervals = [h.interval for h in runner.hooks if isinstance(h, LoggerHook)]
        self._interval = min(intervals, default=1)

    def before_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,  # noqa: ANN401
    ) -> None:
        """Tell the optimizer wrapper, which is another one in each stage, to skip."""
        super().before_train_iter(runner, batch_idx, data_batch)
        if not self.skips:
            return
        if not isinstance(runner.optim_wrapper, AutocastOptimWrapper):
            raise ConfigError(
                "LossLogHook(non_finite='skip') needs optim_wrapper.type="
                f"'AutocastOptimWrapper'; got {type(runner.optim_wrapper).__name__}."
            )
        runner.optim_wrapper.skip_non_finite = True

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,  # noqa: ANN401
        outputs: dict[str, Tensor] | None = None,
    ) -> None:
        """Keep the losses of this step; copy all kept ones if the log is due."""
        terms = {k: v.detach() for k, v in (outputs or {}).items()}
        norm = getattr(runner.optim_wrapper, 'grad_norm', None)
        if norm is not None:
            terms['grad_norm'] = norm
        items = data_batch.get('data_samples') if isinstance(data_batch, dict) else None
        skipped = getattr(runner.optim_wrapper, 'skipped', False)
        self._pending.append(_Step(runner.iter, terms, items or (), skipped))
        due = skipped or self.every_n_inner_iters(batch_idx, self._interval)
        if due or self.end_of_epoch(runner.train_dataloader, batch_idx):
            self.fetch(runner)

    def before_save_checkpoint(
        self, runner: Runner, checkpoint: dict[str, Any]
    ) -> None:
        """Check the losses before the weights that follow from them are saved."""
        if self._pending:
            self.fetch(runner)
            # The checkpoint has the histories that there were before
            checkpoint['message_hub'] = runner.message_hub.state_dict()

    def fetch(self, runner: Runner) -> None:
        """Copy the kept losses to the CPU and check that they are finite."""
        pending, self._pending = self._pending, []
        flat = [value.float() for step in pending for value in step.terms.values()]
        if not flat:
            return
        values = iter(torch.stack(flat).tolist())
        # A loss scaler looks for its scale by gradients that are too large
        scaled = getattr(runner.optim_wrapper, 'scaler', None) is not None
        for step in pending:
            scalars = {name: next(values) for name in step.terms}
            bad = _find_non_finite(scalars, scaled)
            if bad and step.skipped:
                self._count(runner, step, scalars, bad)
                continue
            for name, scalar in scalars.items():
                runner.message_hub.update_scalar(f'train/{name}', scalar)
            if bad:
                raise NonFiniteLossError(
                    _describe(runner, step, scalars, bad)
                    + ' A smaller learning rate, clip_grad, or precision="fp32" in '
                    'optim_wrapper may help; the last checkpoint is from before this '
                    "step. default_hooks.runtime_info.non_finite='skip' leaves out "
                    'such steps.'
                )

    def _count(
        self, runner: Runner, step: _Step, scalars: dict[str, float], bad: list[str]
    ) -> None:
        """Count a skipped step; stop if there are too many, or if it has left traces.

        Raises:
            NonFiniteLossError: So it is.
        """
        count = (runner.message_hub.get_info(_SKIPPED) or 0) + 1
        runner.message_hub.update_info(_SKIPPED, count)
        runner.message_hub.update_scalar(f'train/{_SKIPPED}', count)
        text = _describe(runner, step, scalars, bad)
        if count > self.max_skipped:
            raise NonFiniteLossError(
                f'{text} This is skipped step {count}; at most {self.max_skipped} are '
                'allowed (default_hooks.runtime_info.max_skipped).'
            )
        for name, buffer in unwrap(runner.model).named_buffers():
            if buffer.is_floating_point() and not bool(buffer.isfinite().all()):
                raise NonFiniteLossError(
                    f"{text} The step can't be skipped: its forward pass has changed "
                    f"'{name}' to values that aren't finite. Resume from the last "
                    'checkpoint.'
                )
        runner.logger.log(
            logging.WARNING,
            f'{text} Parameters are left as they were (skipped step {count}).',
        )


def _find_non_finite(scalars: dict[str, float], scaled: bool) -> list[str]:
    """Return the names of losses that aren't finite, or else of the gradient's norm."""
    bad = [n for n, v in scalars.items() if 'loss' in n and not math.isfinite(v)]
    if not bad and not scaled and not math.isfinite(scalars.get('grad_norm', 0)):
        return ['grad_norm']
    return [name for name in bad if name != 'loss'] or bad


def _describe(
    runner: Runner, step: _Step, scalars: dict[str, float], bad: list[str]
) -> str:
    """Describe a step: what isn't finite, what is, and the items of this process."""
    stage = getattr(runner.train_loop, 'stage', None)
    of_stage = '' if stage is None else f" of stage '{stage.name}'"
    others = {k: v for k, v in scalars.items() if math.isfinite(v)}
    text = (
        f'Step {step.number + 1}{of_stage}: '
        + ', '.join(f"'{name}' is {scalars[name]}" for name in bad)
        + '. The others: '
        + (', '.join(f'{k} {v:.4g}' for k, v in others.items()) or 'none')
        + '.'
    )
    names = [_name_item(item) for item in step.items]
    if not names:
        return text
    runner.logger.info(
        f'Items of step {step.number + 1}: {", ".join(names)}',
        extra=dict(file_only=True),
    )
    shown = list_names(names, _SHOWN)
    return f'{text} Its {len(names)} items: {shown} (the log file has all).'


def _name_item(item: Any) -> str:  # noqa: ANN401
    """Return the image of an item, or else its caption."""
    path, caption = (getattr(item, key, None) for key in ('img_path', 'caption'))
    return str(path) if path is not None else repr(caption)

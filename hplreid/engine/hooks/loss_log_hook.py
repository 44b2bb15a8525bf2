"""Log losses without synchronizing with the device in every step."""

import math
from typing import Any

import torch
from mmengine.hooks import LoggerHook, RuntimeInfoHook
from mmengine.runner import Runner
from torch import Tensor

from hplreid.registry import HOOKS
from hplreid.utils.user_error import UserError


class NonFiniteLossError(UserError, FloatingPointError):
    """A loss is NaN or infinite."""


@HOOKS.register_module()
class LossLogHook(RuntimeInfoHook):
    """MMEngine's ``RuntimeInfoHook``, which copies losses once per logging interval.

    Losses stay on the device until the ``LoggerHook`` is about to print, an epoch ends
    or a checkpoint is saved, and are then copied to the CPU together. The training
    stops at a loss that isn't finite, and no checkpoint is written after it.

    Raises:
        NonFiniteLossError: A loss isn't finite; the message names it and the step.
    """

    def __init__(self) -> None:
        super().__init__()
        self._pending: list[tuple[int, dict[str, Tensor]]] = []
        self._interval = 1

    def before_train(self, runner: Runner) -> None:
        """Read the logging interval from the ``LoggerHook``."""
        super().before_train(runner)
        intervals = [h.interval for h in runner.hooks if isinstance(h, LoggerHook)]
        self._interval = min(intervals, default=1)

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
        self._pending.append((runner.iter, terms))
        due = self.every_n_inner_iters(batch_idx, self._interval)
        if due or self.end_of_epoch(runner.train_dataloader, batch_idx):
            self.fetch(runner)

    def before_save_checkpoint(
        self, runner: Runner, checkpoint: dict[str, Any]
    ) -> None:
        """Check the losses before the weights that follow from them are saved."""
        self.fetch(runner)

    def fetch(self, runner: Runner) -> None:
        """Copy the kept losses to the CPU and check that they are finite."""
        pending, self._pending = self._pending, []
        flat = [value.float() for _, terms in pending for value in terms.values()]
        if not flat:
            return
        values = iter(torch.stack(flat).tolist())
        for step, terms in pending:
            scalars = {name: next(values) for name in terms}
            for name, scalar in scalars.items():
                runner.message_hub.update_scalar(f'train/{name}', scalar)
            _check_finite(step, scalars)


def _check_finite(step: int, scalars: dict[str, float]) -> None:
    """Raise NonFiniteLossError unless all losses of a step are finite."""
    bad = {
        name: scalar
        for name, scalar in scalars.items()
        if 'loss' in name and not math.isfinite(scalar)
    }
    if not bad:
        return
    terms = {k: v for k, v in bad.items() if k != 'loss'} or bad
    raise NonFiniteLossError(
        f'Iteration {step + 1}: '
        + ', '.join(f"'{name}' is {scalar}" for name, scalar in terms.items())
        + '. The other losses of the step: '
        + ', '.join(f'{k} {v:.4g}' for k, v in scalars.items() if k not in bad)
        + '. A smaller learning rate, clip_grad, or precision="fp32" in optim_wrapper '
        'may help; the last checkpoint is from before this step.'
    )

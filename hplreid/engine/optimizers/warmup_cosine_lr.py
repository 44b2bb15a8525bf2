"""The learning rate schedule of TransReID: linear warm-up, then a cosine."""

import math
from typing import Any

from mmengine.optim import OptimWrapper
from mmengine.optim.scheduler.lr_scheduler import LRSchedulerMixin
from mmengine.optim.scheduler.param_scheduler import INF, _ParamScheduler
from torch.optim import Optimizer

from hplreid.registry import PARAM_SCHEDULERS


def warmup_cosine(
    step: int, steps: int, warmup: int, warmup_start: float, min_ratio: float
) -> float:
    """Return the factor of the learning rate in one epoch.

    Args:
        step: The epoch, counted from 1.
        steps: Number of epochs.
        warmup: First epoch of the cosine. Before it the factor grows linearly, from
            ``warmup_start`` at epoch 0 towards 1 at this epoch.
        warmup_start: Factor at epoch 0.
        min_ratio: Factor in the last epoch. The cosine falls from 1 at epoch 0, not at
            ``warmup``, so that it begins in its middle.

    Example:
        >>> [round(warmup_cosine(epoch, 4, 2, 0.1, 0.0), 3) for epoch in (1, 2, 3, 4)]
        [0.55, 0.5, 0.146, 0.0]
    """
    if step < warmup:
        return warmup_start + (1 - warmup_start) * step / warmup
    cosine = (1 + math.cos(math.pi * step / steps)) / 2
    return min_ratio + (1 - min_ratio) * cosine


@PARAM_SCHEDULERS.register_module()
class WarmupCosineLR(LRSchedulerMixin, _ParamScheduler):
    """The schedule :func:`warmup_cosine`: timm's, as TransReID steps it.

    MMEngine's ``LinearLR`` and ``CosineAnnealingLR`` are chained: the cosine continues
    from the last value of the warm-up, instead of having its own at that epoch. Over
    the recipe's 120 epochs they differ from TransReID's learning rates by up to 0.27 %.

    Args:
        optimizer: The optimizer or its wrapper.
        warmup: First epoch of the cosine.
        warmup_start: Factor before the first epoch. Defaults to 0.01.
        min_ratio: Factor in the last epoch. Defaults to 0.002.
        begin: First epoch of the schedule, counted from 0. Defaults to 0.
        end: Epoch after the last one.
        **kwargs: See MMEngine's schedulers.

    Raises:
        ValueError: ``end`` is missing, or the warm-up is longer than the schedule.
    """

    base_values: list[float]
    last_step: int

    def __init__(
        self,
        optimizer: Optimizer | OptimWrapper,
        warmup: int,
        warmup_start: float = 0.01,
        min_ratio: float = 0.002,
        begin: int = 0,
        end: int = INF,
        **kwargs: Any,  # noqa: ANN401
    ) -> None:
        self.steps = end - begin
        if end == INF or not 0 <= warmup <= self.steps:
            raise ValueError(
                f'warmup={warmup}, begin={begin}, end={end}: expected an end, and a '
                'warm-up within the epochs before it.'
            )
        self.warmup = warmup
        self.warmup_start = warmup_start
        self.min_ratio = min_ratio
        super().__init__(optimizer, begin=begin, end=end, **kwargs)

    def _get_value(self) -> list[float]:
        factor = warmup_cosine(
            self.last_step + 1,  # epochs from 1 on
            self.steps,
            self.warmup,
            self.warmup_start,
            self.min_ratio,
        )
        return [base * factor for base in self.base_values]

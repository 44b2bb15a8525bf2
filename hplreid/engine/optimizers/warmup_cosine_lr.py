"""The learning rate of TransReID."""

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
    """Return the factor of the learning rate in epoch ``step`` of ``steps``, from 1 on.

    Before ``warmup`` it is on a line from ``warmup_start`` at epoch 0 to 1 at
    ``warmup``; from there on half a cosine from 1 at epoch 0 to ``min_ratio`` in the
    last: the cosine has gone on during the warm-up.
    """
    if step < warmup:
        return warmup_start + (1 - warmup_start) * step / warmup
    cosine = (1 + math.cos(math.pi * step / steps)) / 2
    return min_ratio + (1 - min_ratio) * cosine


@PARAM_SCHEDULERS.register_module()
class WarmupCosineLR(LRSchedulerMixin, _ParamScheduler):
    """:func:`warmup_cosine`, timm's schedule as TransReID steps it, epochs from 1 on.

    MMEngine's linear warm-up and cosine can follow one another, but a cosine that
    begins in the middle they can't make.

    Args:
        optimizer: What is scheduled.
        warmup: First epoch of the cosine.
        warmup_start: Factor before the first epoch. Defaults to 0.01.
        min_ratio: Factor in the last epoch. Defaults to 0.002.
        begin: See MMEngine's schedulers.
        end: Number of the epoch after the last.
        **kwargs: See MMEngine's schedulers.

    Raises:
        ValueError: There is no end, or the warm-up is longer than all.
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

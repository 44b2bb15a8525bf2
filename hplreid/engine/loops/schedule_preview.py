"""The learning rates of a stage before it is run."""

from typing import Any

import numpy as np
import torch
from mmengine.optim import OptimWrapper
from torch import nn

from .stage import Stage, build_schedulers


def preview_schedule(stage: Stage, steps: int) -> dict[str, np.ndarray]:
    """Simulate the learning rates of a stage, without its model and its data.

    The stage's own schedules are stepped as in training, around an optimizer with a
    parameter for each factor of ``paramwise_cfg``: ``lr_mult`` of ``custom_keys``,
    ``bias_lr_mult``. Which parameters a key matches only the model says.

    Args:
        stage: The stage.
        steps: Steps of an epoch.

    Returns:
        The learning rate of each step, ``(epochs * steps,)``, by what has it: ``'all
        others'``, and for each factor the keys that set it.

    Raises:
        ValueError: ``steps`` is less than one, or the optimizer has no ``lr``.

    Example:
        >>> stage = Stage(
        ...     'align', epochs=3, trainable=('heads',),
        ...     optim_wrapper=dict(optimizer=dict(type='Adam', lr=0.1)),
        ...     param_scheduler=[dict(type='ExponentialLR', gamma=0.5)],
        ... )
        >>> preview_schedule(stage, steps=1)['all others'].tolist()
        [0.1, 0.05, 0.025]
    """
    base = stage.optim_wrapper['optimizer'].get('lr')
    if steps < 1 or base is None:
        raise ValueError(
            f"Stage '{stage.name}': expected an optimizer with 'lr' and at least one "
            f'step an epoch; got lr={base} and {steps} steps.'
        )
    factors = _find_factors(stage.optim_wrapper.get('paramwise_cfg') or {})
    groups = [
        dict(params=[nn.Parameter(torch.zeros(1))], lr=base * factor)
        for factor in factors.values()
    ]
    wrapper = OptimWrapper(torch.optim.SGD(groups, lr=base))
    schedulers = build_schedulers(stage, wrapper, steps)
    rates = np.empty((stage.epochs * steps, len(groups)))
    for step in range(len(rates)):
        rates[step] = [group['lr'] for group in wrapper.optimizer.param_groups]
        wrapper.step()  # schedulers warn if it isn't called before them
        at_end = (step + 1) % steps == 0
        for scheduler in schedulers:
            if at_end or not scheduler.by_epoch:
                scheduler.step()
    return dict(zip(factors, rates.T, strict=True))


def _find_factors(paramwise: dict[str, Any]) -> dict[str, float]:
    """Return the factors of the learning rate by what sets them."""
    by_factor: dict[float, list[str]] = {}
    for key, options in (paramwise.get('custom_keys') or {}).items():
        by_factor.setdefault(options.get('lr_mult', 1.0), []).append(key)
    if 'bias_lr_mult' in paramwise:
        by_factor.setdefault(paramwise['bias_lr_mult'], []).append('bias')
    by_factor.pop(1.0, None)
    named = {
        f'{", ".join(keys)} (x {factor:g})': factor
        for factor, keys in by_factor.items()
    }
    return {'all others': 1.0, **named}

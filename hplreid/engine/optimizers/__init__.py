"""Optimization: parameter groups, precision of the forward pass, learning rates.

PyTorch's optimizers and MMEngine's schedules are used by name; here are the wrapper,
the constructor and the schedule that neither has. Which parameters a stage trains is
decided in ``loops``.
"""

from .autocast_optim_wrapper import AutocastOptimWrapper
from .trainable_optim_constructor import TrainableOptimConstructor
from .warmup_cosine_lr import WarmupCosineLR, warmup_cosine

__all__ = [
    'AutocastOptimWrapper',
    'TrainableOptimConstructor',
    'WarmupCosineLR',
    'warmup_cosine',
]

"""Parameter groups, precision and learning rates."""

from .autocast_optim_wrapper import AutocastOptimWrapper
from .trainable_optim_constructor import TrainableOptimConstructor
from .warmup_cosine_lr import WarmupCosineLR, warmup_cosine

__all__ = [
    'AutocastOptimWrapper',
    'TrainableOptimConstructor',
    'WarmupCosineLR',
    'warmup_cosine',
]

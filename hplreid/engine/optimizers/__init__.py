"""Parameter groups and precision."""

from .autocast_optim_wrapper import AutocastOptimWrapper
from .trainable_optim_constructor import TrainableOptimConstructor

__all__ = ['AutocastOptimWrapper', 'TrainableOptimConstructor']

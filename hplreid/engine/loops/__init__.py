"""Loops over the stages of a training and over the benchmarks of a test.

They decide the order of steps, and what belongs to it: stages and their dataloaders,
features that are computed before a stage, test-time augmentation. What else happens
around a step is in ``hooks``; losses and scores are those of models and metrics.
"""

from .benchmark_loop import BenchmarkLoop, BenchmarkValLoop
from .stage import Stage, parse_stages, set_trainable
from .stage_dataloader import set_loader_position
from .staged_train_loop import StagedTrainLoop

__all__ = [
    'BenchmarkLoop',
    'BenchmarkValLoop',
    'Stage',
    'StagedTrainLoop',
    'parse_stages',
    'set_loader_position',
    'set_trainable',
]

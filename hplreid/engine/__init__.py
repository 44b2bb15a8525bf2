"""Training and testing: loops, hooks, optimizers, and the checks before they start."""

from hplreid.utils.checkpoint import use_safe_loading

from .data_parallel import ReIDDataParallel
from .hooks import (
    AtomicCheckpointHook,
    LossLogHook,
    NonFiniteLossError,
    RankedListHook,
    ResumeHook,
)
from .loops import BenchmarkLoop, BenchmarkValLoop, Stage, StagedTrainLoop
from .optimizers import AutocastOptimWrapper, TrainableOptimConstructor

use_safe_loading()

__all__ = [
    'AtomicCheckpointHook',
    'AutocastOptimWrapper',
    'BenchmarkLoop',
    'BenchmarkValLoop',
    'LossLogHook',
    'NonFiniteLossError',
    'RankedListHook',
    'ReIDDataParallel',
    'ResumeHook',
    'Stage',
    'StagedTrainLoop',
    'TrainableOptimConstructor',
]

"""Training and testing: loops, hooks, optimizers, and what a config goes through.

``run`` has the whole program of a training and of a test; ``config`` reads, checks and
prepares configs; ``loops`` has the order of steps, ``hooks`` what happens around them,
``optimizers`` parameter groups, precision and learning rates. Models, datasets and
metrics are built here through registries, never imported for what they compute.
"""

from hplreid.utils.checkpoints.checkpoint import use_safe_loading

from .data_parallel import ReIDDataParallel
from .hooks import (
    AtomicCheckpointHook,
    LossLogHook,
    NonFiniteLossError,
    ProgressHook,
    RankedListHook,
    ResumeHook,
)
from .loops import BenchmarkLoop, BenchmarkValLoop, Stage, StagedTrainLoop
from .optimizers import AutocastOptimWrapper, TrainableOptimConstructor
from .runner import ReIDRunner
from .sharding import ReIDFullySharded

use_safe_loading()

__all__ = [
    'AtomicCheckpointHook',
    'AutocastOptimWrapper',
    'BenchmarkLoop',
    'BenchmarkValLoop',
    'LossLogHook',
    'NonFiniteLossError',
    'ProgressHook',
    'RankedListHook',
    'ReIDDataParallel',
    'ReIDFullySharded',
    'ReIDRunner',
    'ResumeHook',
    'Stage',
    'StagedTrainLoop',
    'TrainableOptimConstructor',
]

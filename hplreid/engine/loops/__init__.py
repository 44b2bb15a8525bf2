"""Loops over training stages and over benchmarks."""

from .benchmark_loop import BenchmarkLoop, BenchmarkValLoop
from .stage import Stage
from .staged_train_loop import StagedTrainLoop

__all__ = ['BenchmarkLoop', 'BenchmarkValLoop', 'Stage', 'StagedTrainLoop']

"""Reads every benchmark of a config, so that none disappoints after the training."""

from collections.abc import Iterator
from typing import Any

from mmengine.config import Config

from hplreid.registry import DATASETS, METRICS


def find_benchmark_problems(config: Config) -> list[str]:
    """Return what keeps the benchmarks of a config from being scored, a message each.

    The annotations of each are read, no picture is. A metric with a method
    ``check_dataset`` is shown the data set and raises ValueError if it can't score it.
    """
    problems = []
    for name, loader, evaluator in _benchmarks(config):
        try:
            dataset = DATASETS.build(loader['dataset'])
            for metric in evaluator if isinstance(evaluator, list) else [evaluator]:
                check = getattr(METRICS.get(metric['type']), 'check_dataset', None)
                # A data set of somebody else's need not tell its items unread
                if check is not None and hasattr(dataset, 'get_data_info'):
                    check(METRICS.build(metric), dataset)
        except (ValueError, FileNotFoundError) as error:
            problems.append(f'{name}: {error}')
    return problems


def _benchmarks(config: Config) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Yield place, loader and metrics of each benchmark of a ``BenchmarkLoop``."""
    for mode in ('val', 'test'):
        loaders = config.get(f'{mode}_dataloader') or {}
        evaluators = config.get(f'{mode}_evaluator') or {}
        for name, loader in loaders.items():
            # MMEngine's own loops have a single loader there instead
            if name in evaluators and isinstance(loader, dict) and 'dataset' in loader:
                yield f'{mode}_dataloader.{name}', loader, evaluators[name]

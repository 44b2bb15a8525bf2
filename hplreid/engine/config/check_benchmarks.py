"""Reads every benchmark of a config, so that none disappoints after the training."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from mmengine.config import Config

from hplreid.registry import DATASETS, METRICS

from .resolve import merge_config


def find_benchmark_problems(config: Config) -> list[str]:
    """Return what keeps the benchmarks of a config from being scored, a message each.

    The annotations of each are read, no image is. A metric with a method
    ``check_dataset`` is shown the dataset and raises ValueError if it can't score it.
    Where the image tower knows cameras, every image must be of one of them, in
    training too.
    """
    problems = []
    num_cameras = _num_cameras(config)
    for name, loader, evaluator in _benchmarks(config):
        try:
            dataset = DATASETS.build(loader['dataset'])
            check_cameras(dataset, num_cameras)
            for metric in evaluator if isinstance(evaluator, list) else [evaluator]:
                check = getattr(METRICS.get(metric['type']), 'check_dataset', None)
                # A dataset of somebody else's need not tell its items unread
                if check is not None and hasattr(dataset, 'get_data_info'):
                    check(METRICS.build(metric), dataset)
        except (ValueError, FileNotFoundError) as error:
            problems.append(f'{name}: {error}')
    if num_cameras:
        problems += _find_training_problems(config, num_cameras)
    return problems


def check_cameras(dataset: Any, num_cameras: int) -> None:  # noqa: ANN401
    """Check that every image of a dataset is of a camera that a tower knows.

    Args:
        dataset: The dataset; one that doesn't tell its items unread passes.
        num_cameras: The tower's ``num_cameras``; 0 for a tower that knows none.

    Raises:
        ValueError: Some images have another camera, or none that is known.
    """
    if not num_cameras or not hasattr(dataset, 'get_data_info'):
        return
    items = (dataset.get_data_info(i) for i in range(len(dataset)))
    cameras = Counter(i['camid'] for i in items if i['img_path'] is not None)
    strange = {c: n for c, n in cameras.items() if not 0 <= c < num_cameras}
    if strange:
        listed = ', '.join('-1 (unknown)' if c < 0 else str(c) for c in sorted(strange))
        raise ValueError(
            f'{sum(strange.values()):,} of {cameras.total():,} images have a camera '
            f'that the image tower has no embedding of: {listed}. Expected 0 to '
            f'{num_cameras - 1}, because of image_encoder.num_cameras={num_cameras}.'
        )


def _num_cameras(config: Config) -> int:
    model = config.get('model') or {}
    return (model.get('image_encoder') or {}).get('num_cameras', 0)


def _find_training_problems(config: Config, num_cameras: int) -> list[str]:
    """Say whose cameras a tower doesn't know, a message for each training set."""
    loader = config.get('train_dataloader')
    if not loader:
        return []
    stages = (config.get('train_cfg') or {}).get('stages') or {}
    datasets: list[dict] = []
    problems = []
    for stage in [*stages.values()] or [{}]:
        merged = merge_config(loader.to_dict(), stage.get('train_dataloader'))
        dataset = {k: v for k, v in merged['dataset'].items() if k != 'pipeline'}
        if dataset in datasets:
            continue
        datasets.append(dataset)
        try:
            check_cameras(DATASETS.build(merged['dataset']), num_cameras)
        except (ValueError, FileNotFoundError) as error:
            problems.append(f'train_dataloader: {error}')
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

"""Check, before the training, that every benchmark of a config can be scored."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from mmengine.config import Config

from hplreid.registry import DATASETS, METRICS

from ..errors import BUILD_ERRORS, explain
from ..resolve import merge_config


def find_benchmark_problems(config: Config) -> list[str]:
    """Return one message for each problem that keeps a benchmark from being scored.

    The annotations of every benchmark are read, but no image is. Where a metric has a
    method ``check_dataset``, it is called with the dataset and raises ValueError if it
    can't score it. Where the image tower has camera embeddings, every image must be of
    a camera that has one, in training too.

    Example:
        >>> find_benchmark_problems(Config(dict(model=dict(type='DualEncoder'))))
        []
    """
    problems = []
    num_cameras = _num_cameras(config)
    for name, loader, evaluator in _benchmarks(config):
        try:
            dataset = DATASETS.build(loader['dataset'])
            check_cameras(dataset, num_cameras)
            for metric in evaluator if isinstance(evaluator, list) else [evaluator]:
                check = getattr(METRICS.get(metric['type']), 'check_dataset', None)
                # A dataset of another code base may not list its items unread
                if check is not None and hasattr(dataset, 'get_data_info'):
                    check(METRICS.build(metric), dataset)
        except BUILD_ERRORS as error:
            problems.append(f'{name}: {explain(error)}')
    if num_cameras:
        problems += _find_training_problems(config, num_cameras)
    return problems


def check_cameras(dataset: Any, num_cameras: int) -> None:  # noqa: ANN401
    """Check that the tower has an embedding of the camera of every image of a dataset.

    Args:
        dataset: The dataset. One without ``get_data_info`` passes.
        num_cameras: The tower's ``num_cameras``; 0 for a tower without embeddings.

    Raises:
        ValueError: The camera of some images has no embedding, or is unknown.
    """
    if not num_cameras or not hasattr(dataset, 'get_data_info'):
        return
    items = (dataset.get_data_info(i) for i in range(len(dataset)))
    cameras = Counter(i['camid'] for i in items if i['img_path'] is not None)
    unknown = {c: n for c, n in cameras.items() if not 0 <= c < num_cameras}
    if unknown:
        listed = ', '.join('-1 (unknown)' if c < 0 else str(c) for c in sorted(unknown))
        raise ValueError(
            f'{sum(unknown.values()):,} of {cameras.total():,} images have a camera '
            f'that the image tower has no embedding of: {listed}. Expected 0 to '
            f'{num_cameras - 1}, because of image_encoder.num_cameras={num_cameras}.'
        )


def _num_cameras(config: Config) -> int:
    """Return the number of cameras that the image tower has embeddings of."""
    model = config.get('model') or {}
    return (model.get('image_encoder') or {}).get('num_cameras', 0)


def _find_training_problems(config: Config, num_cameras: int) -> list[str]:
    """Return a message for each training set with a camera that has no embedding."""
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
        except BUILD_ERRORS as error:
            problems.append(f'train_dataloader: {explain(error)}')
    return problems


def _benchmarks(config: Config) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Yield place, dataloader and metrics of each benchmark of a ``BenchmarkLoop``."""
    for mode in ('val', 'test'):
        loaders = config.get(f'{mode}_dataloader') or {}
        evaluators = config.get(f'{mode}_evaluator') or {}
        for name, loader in loaders.items():
            # MMEngine's own loops have a single dataloader there instead
            if name in evaluators and isinstance(loader, dict) and 'dataset' in loader:
                yield f'{mode}_dataloader.{name}', loader, evaluators[name]

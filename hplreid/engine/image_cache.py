"""Which pictures a config reads, and making the caches that it wants them from."""

import os
from collections.abc import Iterator
from typing import Any

from mmengine.config import Config

from hplreid.datasets.cache_build import Built, build_cache
from hplreid.datasets.cache_config import find_pictures
from hplreid.datasets.cache_index import CacheKey

from .loops.stage import merge_config

Pictures = dict[CacheKey, dict[str, None]]
"""The files that each cache must hold, in order, without doubles."""


def find_loaders(config: Config) -> Iterator[dict[str, Any]]:
    """Yield the loaders of all stages of training, of validation and of benchmarks."""
    train = config.get('train_dataloader')
    if train:
        stages = (config.get('train_cfg') or {}).get('stages') or {}
        yield train.to_dict()
        for stage in stages.values():
            if stage.get('train_dataloader'):
                yield merge_config(train.to_dict(), stage.train_dataloader.to_dict())
    for name in ('val_dataloader', 'test_dataloader'):
        loaders: Any = config.get(name) or {}
        for loader in [loaders] if 'dataset' in loaders else loaders.values():
            yield loader.to_dict()


def collect_pictures(config: Config, size: tuple[int, int] | None = None) -> Pictures:
    """Return the picture files that each cache of a config must hold.

    Args:
        config: A config whose data is there.
        size: Height and width to cache; those of the pipelines if None.

    Raises:
        ValueError: There is nothing to cache.
    """
    wanted: Pictures = {}
    for loader in find_loaders(config):
        for key, paths in find_pictures(loader['dataset'], size).items():
            wanted.setdefault(key, {}).update(dict.fromkeys(paths))
    if not wanted:
        raise ValueError('The config has no data set with pictures.')
    return wanted


def build_caches(
    folder: str,
    wanted: Pictures,
    workers: int | None = None,
    overwrite: bool = False,
) -> dict[CacheKey, Built]:
    """Build every cache, or what it lacks; return what was done.

    Args:
        folder: Where to.
        wanted: What :func:`collect_pictures` returned.
        workers: Threads. Defaults to the number of cores.
        overwrite: Whether to make every picture anew.
    """
    workers = os.cpu_count() or 1 if workers is None else workers
    return {
        key: build_cache(folder, key, paths, workers, overwrite)
        for key, paths in wanted.items()
    }

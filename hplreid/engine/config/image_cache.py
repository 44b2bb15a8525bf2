"""Which images a config reads, and making the caches that it wants them from."""

import os
from collections.abc import Iterator
from typing import Any

from mmengine.config import Config

from hplreid.datasets.images.cache_builder import Built, build_cache
from hplreid.datasets.images.cache_index import CacheKey
from hplreid.datasets.items import ItemDataset
from hplreid.datasets.transforms.loading import LoadCachedImage, LoadImage, ResizeImage
from hplreid.registry import DATASETS

from .named_pipelines import transform_name
from .resolve import merge_config

Images = dict[CacheKey, dict[str, None]]
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


def collect_images(config: Config, size: tuple[int, int] | None = None) -> Images:
    """Return the image files that each cache of a config must hold.

    Args:
        config: A config whose data is there.
        size: Height and width to cache; those of the pipelines if None.

    Raises:
        ValueError: There is nothing to cache.
    """
    wanted: Images = {}
    for loader in find_loaders(config):
        for key, paths in find_images(loader['dataset'], size).items():
            wanted.setdefault(key, {}).update(dict.fromkeys(paths))
    if not wanted:
        raise ValueError('The config has no dataset with images.')
    return wanted


def build_caches(
    folder: str,
    wanted: Images,
    workers: int | None = None,
    overwrite: bool = False,
) -> dict[CacheKey, Built]:
    """Build every cache, or what it lacks; return what was done.

    Args:
        folder: Where to.
        wanted: What :func:`collect_images` returned.
        workers: Threads. Defaults to the number of cores.
        overwrite: Whether to make every image anew.
    """
    workers = os.cpu_count() or 1 if workers is None else workers
    return {
        key: build_cache(folder, key, paths, workers, overwrite)
        for key, paths in wanted.items()
    }


def use_image_cache(value: Any, folder: str) -> int:  # noqa: ANN401
    """Let every pipeline in a config take its images from a cache.

    :class:`LoadImage` and the :class:`ResizeImage` behind it become a
    :class:`LoadCachedImage` with the same size and interpolation.

    Args:
        value: A config, or a part of one; changed in place.
        folder: Folder of the cache.

    Returns:
        How many pipelines were changed.

    Raises:
        ValueError: Something stands between loading and resizing, so that what would
            be cached isn't the image at its final size.
    """
    if isinstance(value, dict):
        return sum(use_image_cache(child, folder) for child in value.values())
    if not isinstance(value, list):
        return 0
    names = [transform_name(step) for step in value]
    if LoadImage.__name__ not in names:
        return sum(use_image_cache(child, folder) for child in value)
    at = names.index(LoadImage.__name__)
    if names[at + 1 : at + 2] != [ResizeImage.__name__]:
        raise ValueError(
            'image_cache: ResizeImage must come right after LoadImage, for what is '
            f'cached is the resized image. This pipeline is {names}.'
        )
    options = {k: v for k, v in value[at + 1].items() if k != 'type'}
    cached = dict(type=LoadCachedImage.__name__, cache=folder, **options)
    value[at : at + 2] = [type(value[at])(cached)]
    return 1


def find_images(
    dataset: dict[str, Any], size: tuple[int, int] | None = None
) -> dict[CacheKey, list[str]]:
    """Return the image files of a dataset, by the cache that they belong in.

    Args:
        dataset: Config of a dataset with a pipeline.
        size: Height and width; those of the pipeline if None.

    Raises:
        ValueError: The pipeline doesn't resize, so that there is nothing to cache.
    """
    resizes = [
        step
        for step in dataset.get('pipeline', ())
        if transform_name(step) in (ResizeImage.__name__, LoadCachedImage.__name__)
    ]
    if not resizes:
        raise ValueError(
            f"The pipeline of a {dataset['type']} has no ResizeImage: what isn't "
            'resized is not cached.'
        )
    options = {k: v for k, v in resizes[0].items() if k not in ('type', 'cache')}
    step = ResizeImage(**options)
    method = step.interpolation.name.lower()
    built: ItemDataset = DATASETS.build(dict(dataset, pipeline=[]))
    images: dict[CacheKey, list[str]] = {}
    for index in range(len(built)):
        item = built.get_data_info(index)
        if item['img_path'] is not None:
            key = CacheKey(item['source'], size or step.size, method)
            images.setdefault(key, []).append(item['img_path'])
    return images

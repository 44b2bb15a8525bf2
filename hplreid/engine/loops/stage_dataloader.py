"""The loaders of stages: shares of the global batch, places in an epoch."""

from typing import Any

import torch
from mmengine.registry import FUNCTIONS
from mmengine.runner import Runner
from torch.utils.data import DataLoader, Dataset

from hplreid.registry import DATASETS

from ..identity_map import identity_map
from .feature_cache import CachedFeatures, as_it_is
from .stage import Stage


def share_of_batch(global_batch: int, world: int) -> int:
    """Return each process' share of the global batch.

    Raises:
        ValueError: It can't be divided equally.
    """
    if global_batch % world:
        raise ValueError(
            f'train_dataloader.batch_size={global_batch} is the batch of all '
            f'processes together and is not a multiple of their number, {world}.'
        )
    return global_batch // world


class _Uncopied:
    """Stands for an object where configs are copied deeply, and becomes it there."""

    def __init__(self, value: Any) -> None:  # noqa: ANN401
        self._value = value

    def __deepcopy__(self, memo: dict) -> Any:  # noqa: ANN401
        return self._value


def build_stage_dataloader(
    runner: Runner, config: dict[str, Any], dataset: Dataset
) -> DataLoader:
    """Build the training loader of a stage.

    Args:
        runner: Knows seed and number of processes.
        config: MMEngine's config of a loader; ``batch_size`` is the global batch.
        dataset: What stands for ``config['dataset']``: built once for all stages that
            share it.

    Raises:
        ValueError: The global batch can't be divided, or isn't what the sampler makes.
    """
    total = config['batch_size']
    share = share_of_batch(total, runner.world_size)
    config = dict(config, dataset=_Uncopied(dataset), batch_size=share)
    if not config.get('num_workers'):  # torch refuses these without workers
        config.pop('persistent_workers', None)
        config.pop('prefetch_factor', None)
    loader = runner.build_dataloader(config, seed=runner.seed)
    parts = getattr(loader.sampler, 'parts', (total,))
    if sum(parts) != total:
        raise ValueError(
            f'{type(loader.sampler).__name__} makes batches of '
            f'{" + ".join(map(str, parts))} items; train_dataloader.batch_size={total}.'
        )
    # Each new iterator draws a number. From the global generator it would make what the
    # model draws depend on how often a run was resumed.
    loader.generator = torch.Generator().manual_seed(runner.seed)
    return loader


def build_loaders(runner: Runner, stages: list[Stage]) -> list[DataLoader]:
    """Build every stage's loader; stages with the same data share the dataset.

    Raises:
        ValueError: The stages train on different identities; or see
            :func:`build_stage_dataloader`.
    """
    datasets: list[tuple[dict, Any]] = []
    loaders = []
    for stage in stages:
        config = stage.dataloader['dataset']
        dataset = next((built for known, built in datasets if known == config), None)
        if dataset is None:
            dataset = DATASETS.build(config) if isinstance(config, dict) else config
            if hasattr(dataset, 'full_init'):  # MMEngine's own datasets read late
                dataset.full_init()
            datasets.append((config, dataset))
        config = stage.dataloader
        if stage.cache_features:
            dataset = CachedFeatures(dataset, stage.cache_features)
            # A worker would have a copy from before the features were computed
            config = dict(config, num_workers=0, pin_memory=False, collate_fn=as_it_is)
        loaders.append(build_stage_dataloader(runner, config, dataset))
    maps = [identity_map(loader.dataset) for loader in loaders]
    if any(m != maps[0] for m in maps):
        raise ValueError(
            'The stages train on different identities: '
            f'{[len(m or ()) for m in maps]}. Their datasets must number them alike.'
        )
    return loaders


def fill_cache(model: Any, loader: DataLoader, stage: Stage) -> None:  # noqa: ANN401
    """Compute the features that a stage trains on, if it does that.

    Raises:
        ValueError: The stage trains what would make them.
    """
    dataset = loader.dataset
    if not isinstance(dataset, CachedFeatures):
        return
    tower = model.image_encoder
    if any(p.requires_grad for p in tower.parameters()):
        raise ValueError(
            f"Stage '{stage.name}' trains image_encoder, so its features can't be kept "
            'as they are at the beginning: remove cache_features.'
        )
    dataset.fill(model, plain_loader(dataset.dataset, loader, stage.dataloader))


def plain_loader(
    dataset: Dataset, loader: DataLoader, config: dict[str, Any]
) -> DataLoader:
    """Build a loader over a dataset in its order, which loads as a stage's does.

    Args:
        dataset: The dataset.
        loader: The stage's loader, for each process' share of a batch.
        config: The stage's config of it.
    """
    collate = config.get('collate_fn')
    if isinstance(collate, dict):
        collate = FUNCTIONS.get(collate['type'])
    return DataLoader(
        dataset,
        batch_size=loader.batch_size,
        num_workers=config.get('num_workers', 0),
        collate_fn=collate,
    )


def go_to(loader: DataLoader, epoch: int, step: int) -> None:
    """Have a loader's next iterator begin at a step of an epoch.

    Raises:
        RuntimeError: It isn't the epoch's first step and the sampler has no
            ``set_start``.
    """
    sampler: Any = loader.sampler
    if hasattr(sampler, 'set_epoch'):
        sampler.set_epoch(epoch)
    if hasattr(sampler, 'set_start'):
        sampler.set_start(step)
    elif step > 0:
        raise RuntimeError(
            f'{type(sampler).__name__} has no set_start: it cannot go on at step '
            f'{step + 1} of an epoch. Resume from a checkpoint of a whole epoch.'
        )


def stop_workers(loader: DataLoader) -> None:
    """End the worker processes that a loader keeps between epochs.

    Left to the garbage collector they may outlive their stage, or be waited for.
    """
    iterator: Any = getattr(loader, '_iterator', None)
    loader._iterator = None
    if hasattr(iterator, '_shutdown_workers'):
        iterator._shutdown_workers()

"""Build the dataloaders of stages, and set their position in an epoch."""

from typing import Any

import torch
from mmengine.device import get_device
from mmengine.dist import is_distributed
from mmengine.registry import FUNCTIONS
from mmengine.runner import Runner
from torch.utils.data import DataLoader, Dataset

from hplreid.datasets.samplers.global_batch import GlobalBatchSampler
from hplreid.registry import DATASETS
from hplreid.utils.distributed import gather_counts
from hplreid.utils.user_error import UserError

from ..identity_map import get_identity_map
from .feature_cache import CachedFeatures, pass_through_collate
from .stage import Stage


def batch_size_per_process(global_batch: int, world: int) -> int:
    """Return the batch size of each process.

    Args:
        global_batch: The batch size of all processes together.
        world: Number of processes.

    Raises:
        ValueError: The global batch can't be divided equally.
    """
    if global_batch % world:
        raise ValueError(
            f'train_dataloader.batch_size={global_batch} is the batch of all '
            f'processes together and is not a multiple of their number, {world}.'
        )
    return global_batch // world


class UnequalSharesError(UserError, ValueError):
    """Processes would have different numbers of batches."""


class _NotCopied:
    """A holder in a config, which a deep copy replaces by the object that it holds.

    MMEngine copies the config of a dataloader deeply before it builds it. With the
    dataset itself in the config, every stage would get a copy.
    """

    def __init__(self, value: Any) -> None:  # noqa: ANN401
        self._value = value

    def __deepcopy__(self, memo: dict) -> Any:  # noqa: ANN401
        return self._value


def build_stage_dataloader(
    runner: Runner, config: dict[str, Any], dataset: Dataset
) -> DataLoader:
    """Build the training dataloader of a stage.

    Args:
        runner: The runner, for the seed and the number of processes.
        config: MMEngine's config of a dataloader; ``batch_size`` is the global one.
        dataset: The built ``config['dataset']``, which stages may share.

    Raises:
        ValueError: The global batch can't be divided equally, or differs from the
            batch size of the sampler.
        UnequalSharesError: The sampler gives some processes more batches than others.
    """
    total = config['batch_size']
    share = batch_size_per_process(total, runner.world_size)
    config = dict(config, dataset=_NotCopied(dataset), batch_size=share)
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
    if not shares_are_equal(loader):
        _check_number_of_batches(loader)
    # Each new iterator draws a random number. If it came from the global generator,
    # what the model draws would depend on how often a run was resumed.
    loader.generator = torch.Generator().manual_seed(runner.seed)
    return loader


def shares_are_equal(loader: DataLoader) -> bool:
    """Return whether all processes have as many rows of each kind in every batch.

    The samplers of this package see to it; with another one they must be counted in
    every step.
    """
    return isinstance(loader.sampler, GlobalBatchSampler)


def _check_number_of_batches(loader: DataLoader) -> None:
    """Check, before a process waits for ever, that all make equally many steps."""
    # Where NCCL communicates, so that it can
    counts = gather_counts(len(loader), get_device() if is_distributed() else 'cpu')
    if len(set(counts)) > 1:
        raise UnequalSharesError(
            f'train_dataloader: {type(loader.sampler).__name__} gives the processes '
            f'{counts} batches an epoch. All must have as many: set '
            'train_dataloader.drop_last=True, or take a sampler of this package, which '
            'divides every batch equally.'
        )


def build_stage_dataloaders(runner: Runner, stages: list[Stage]) -> list[DataLoader]:
    """Build the dataloaders of all stages; equal dataset configs share a dataset.

    Raises:
        ValueError: The stages train on different identities, or see
            :func:`build_stage_dataloader`.
    """
    datasets: list[tuple[dict, Any]] = []
    loaders = []
    for stage in stages:
        config = stage.dataloader['dataset']
        dataset = next((d for other, d in datasets if other == config), None)
        if dataset is None:
            dataset = DATASETS.build(config) if isinstance(config, dict) else config
            if hasattr(dataset, 'full_init'):  # of MMEngine's own datasets
                dataset.full_init()
            datasets.append((config, dataset))
        config = stage.dataloader
        if stage.cache_features:
            dataset = CachedFeatures(dataset, stage.cache_features)
            # Without workers: they would copy the dataset before it has features
            config = dict(
                config, num_workers=0, pin_memory=False, collate_fn=pass_through_collate
            )
        loaders.append(build_stage_dataloader(runner, config, dataset))
    maps = [get_identity_map(loader.dataset) for loader in loaders]
    if any(m != maps[0] for m in maps):
        raise ValueError(
            'The stages train on different identities: '
            f'{[len(m or ()) for m in maps]} of them. Their datasets must give each '
            'identity the same label.'
        )
    return loaders


def fill_feature_cache(model: Any, loader: DataLoader, stage: Stage) -> None:  # noqa: ANN401
    """Compute the features of a stage with ``cache_features``.

    Raises:
        ValueError: The stage trains the tower that computes them.
    """
    dataset = loader.dataset
    if not isinstance(dataset, CachedFeatures):
        return
    tower = model.image_encoder
    if any(p.requires_grad for p in tower.parameters()):
        raise ValueError(
            f"Stage '{stage.name}' trains image_encoder, so that features computed "
            'when it begins become outdated: remove cache_features.'
        )
    images = build_sequential_dataloader(dataset.dataset, loader, stage.dataloader)
    dataset.fill(model, images)


def build_sequential_dataloader(
    dataset: Dataset, loader: DataLoader, config: dict[str, Any]
) -> DataLoader:
    """Build a dataloader that yields a dataset in order, in batches like a stage's.

    Args:
        dataset: The dataset.
        loader: The dataloader of the stage, for the batch size of each process.
        config: Its config, for number of workers and collate function.
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


def set_loader_position(loader: DataLoader, epoch: int, step: int) -> None:
    """Set the epoch and the step at which the next iterator of a dataloader begins.

    Raises:
        RuntimeError: ``step`` isn't 0 and the sampler has no ``set_start``.

    Example:
        >>> loader = DataLoader(range(8), batch_size=4)
        >>> set_loader_position(loader, epoch=1, step=0)
        >>> set_loader_position(loader, epoch=1, step=1)
        Traceback (most recent call last):
        ...
        RuntimeError: SequentialSampler has no set_start, so that it cannot begin at ...
    """
    sampler: Any = loader.sampler
    if hasattr(sampler, 'set_epoch'):
        sampler.set_epoch(epoch)
    if hasattr(sampler, 'set_start'):
        sampler.set_start(step)
    elif step > 0:
        raise RuntimeError(
            f'{type(sampler).__name__} has no set_start, so that it cannot begin at '
            f'step {step + 1} of an epoch. Resume from a checkpoint of a whole epoch.'
        )


def stop_workers(loader: DataLoader) -> None:
    """Stop the worker processes that a dataloader keeps between epochs.

    The garbage collector may do so late, after their stage, or block.
    """
    iterator: Any = getattr(loader, '_iterator', None)
    loader._iterator = None
    if hasattr(iterator, '_shutdown_workers'):
        iterator._shutdown_workers()

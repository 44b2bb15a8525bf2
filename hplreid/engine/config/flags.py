"""Changes that the flags of the command-line tools make to a config."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config


def set_work_dir(config: Config, work_dir: str | None) -> None:
    """Set the work folder.

    Args:
        config: The config.
        work_dir: The folder. None keeps the config's own, or else takes
            ``work_dirs/<name of the config file>``.
    """
    if work_dir is not None:
        config.work_dir = work_dir
    elif config.get('work_dir') is None:
        config.work_dir = str(Path('work_dirs') / Path(config.filename).stem)


def set_launcher(config: Config, launcher: str, local_rank: int | None) -> None:
    """Set how processes are started, and ``LOCAL_RANK`` where it comes as a flag."""
    config.launcher = launcher
    if local_rank is not None:
        os.environ.setdefault('LOCAL_RANK', str(local_rank))


def set_resume(config: Config, checkpoint: str | None) -> None:
    """Resume from a checkpoint.

    Args:
        config: The config.
        checkpoint: The file; ``'auto'`` for the last one of the work folder; None
            to start from the beginning.
    """
    if checkpoint is None:
        return
    config.resume = True
    config.load_from = None if checkpoint == 'auto' else checkpoint


def set_amp(config: Config) -> None:
    """Train in the precision that suits the device, in every stage."""
    stages = (config.train_cfg.get('stages') or {}).values()
    for wrapper in [config.optim_wrapper, *(s.get('optim_wrapper') for s in stages)]:
        if wrapper is config.optim_wrapper or (wrapper and 'type' in wrapper):
            wrapper['type'] = 'AutocastOptimWrapper'
        if wrapper and (wrapper is config.optim_wrapper or 'precision' in wrapper):
            wrapper['precision'] = 'auto'


def set_seed(config: Config, seed: int | None) -> None:
    """Set the random seed of a run; None keeps the config's own."""
    if seed is not None:
        config.setdefault('randomness', {})
        config.randomness['seed'] = seed


def disable_validation(config: Config) -> None:
    """Train without validation."""
    config.val_cfg = config.val_dataloader = config.val_evaluator = None


def set_loader_options(
    config: Config, pin_memory: bool = True, persistent_workers: bool = True
) -> None:
    """Set the defaults of memory pinning and persistent workers in all dataloaders.

    Args:
        config: The config.
        pin_memory: Whether memory is pinned, where a GPU is available and a dataloader
            doesn't set it. False disables it in all.
        persistent_workers: Whether workers are kept between epochs, where a dataloader
            has workers and doesn't set it. False disables it in all.
    """
    for loader in _iter_loaders(config):
        if not pin_memory:
            loader['pin_memory'] = False
        loader.setdefault('pin_memory', torch.cuda.is_available())
        if not loader.get('num_workers') or not persistent_workers:
            loader['persistent_workers'] = False
        loader.setdefault('persistent_workers', True)


def _iter_loaders(config: Config) -> Iterator[dict[str, Any]]:
    """Yield the config of each dataloader, those of several benchmarks one by one."""
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        loader = config.get(name)
        if loader is None:
            continue
        if 'dataset' in loader:
            yield loader
        else:
            yield from loader.values()


def draw_ranked_lists(config: Config) -> None:
    """Draw ranked lists after a test, unless the config already does."""
    hooks = config.setdefault('custom_hooks', [])
    if not any(hook['type'] == 'RankedListHook' for hook in hooks):
        hooks.append(dict(type='RankedListHook'))

"""What the flags of the command-line tools do to a config."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config

from .named_pipelines import resolve_pipelines


def read_config(path: str, options: dict[str, Any] | None = None) -> Config:
    """Read a config file and change it as ``--cfg-options`` says.

    What a config names in ``custom_imports`` is looked for in the current folder too,
    so that a project's package is found from the root of the repository.
    """
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    config = Config.fromfile(path)
    resolve_pipelines(config)  # options address the steps of the pipelines that run
    config.merge_from_dict(options or {})
    resolve_pipelines(config)  # pipelines that options name
    return config


def set_work_dir(config: Config, wanted: str | None) -> None:
    """Set the work folder: as asked for, else the config's, else by its file name."""
    if wanted is not None:
        config.work_dir = wanted
    elif config.get('work_dir') is None:
        config.work_dir = str(Path('work_dirs') / Path(config.filename).stem)


def set_launcher(config: Config, launcher: str, local_rank: int | None) -> None:
    """Set how processes were started, and the rank, where it comes as a flag."""
    config.launcher = launcher
    if local_rank is not None:
        os.environ.setdefault('LOCAL_RANK', str(local_rank))


def set_resume(config: Config, resume: str | None) -> None:
    """Resume from a file or, by ``'auto'``, the work folder's last checkpoint."""
    if resume is None:
        return
    config.resume = True
    config.load_from = None if resume == 'auto' else resume


def set_amp(config: Config) -> None:
    """Train in bf16 mixed precision, in every stage."""
    stages = (config.train_cfg.get('stages') or {}).values()
    for wrapper in [config.optim_wrapper, *(s.get('optim_wrapper') for s in stages)]:
        if wrapper is config.optim_wrapper or (wrapper and 'type' in wrapper):
            wrapper['type'] = 'AutocastOptimWrapper'
        if wrapper and (wrapper is config.optim_wrapper or 'precision' in wrapper):
            wrapper['precision'] = 'bf16'


def set_seed(config: Config, seed: int | None) -> None:
    """Set the seed of everything, if one is asked for."""
    if seed is not None:
        config.setdefault('randomness', {})
        config.randomness['seed'] = seed


def drop_validation(config: Config) -> None:
    """Train without validating."""
    config.val_cfg = config.val_dataloader = config.val_evaluator = None


def set_loader_options(
    config: Config, pin_memory: bool = True, persistent_workers: bool = True
) -> None:
    """Pin memory and keep workers in all loaders, unless told not to.

    Args:
        config: The config.
        pin_memory: False to forbid it. Else it is the default where there is a GPU.
        persistent_workers: False to forbid it. Else it is the default where a loader
            has workers.
    """
    for loader in _loaders(config):
        if not pin_memory:
            loader['pin_memory'] = False
        loader.setdefault('pin_memory', torch.cuda.is_available())
        if not loader.get('num_workers') or not persistent_workers:
            loader['persistent_workers'] = False
        loader.setdefault('persistent_workers', True)


def _loaders(config: Config) -> Iterator[dict[str, Any]]:
    """Yield the config of each loader, those of several benchmarks one by one."""
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        loader = config.get(name)
        if loader is None:
            continue
        if 'dataset' in loader:
            yield loader
        else:
            yield from loader.values()


def draw_ranked_lists(config: Config) -> None:
    """Draw ranked lists after a test, if the config doesn't do so already."""
    hooks = config.setdefault('custom_hooks', [])
    if not any(hook['type'] == 'RankedListHook' for hook in hooks):
        hooks.append(dict(type='RankedListHook'))

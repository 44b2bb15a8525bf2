"""Distributed training on GPUs or on the CPU: process group and model wrapper."""

import inspect
import os
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import mmengine.registry as root
import torch.distributed as torch_dist
from mmengine.device import get_device
from mmengine.dist import get_dist_info, init_dist, is_distributed
from mmengine.model import MMDistributedDataParallel, is_model_wrapper
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from hplreid.models.layers.synced_batch_norm import sync_batch_norms
from hplreid.registry import MODEL_WRAPPERS
from hplreid.utils.failure_board import open_board

from .sharding import find_sharding_problems

# PyTorch 2.13 warns of the former name of the option
_HAS_NEW_NAME = (
    'forward_sync_buffers' in inspect.signature(DistributedDataParallel).parameters
)
_SHARDED = 'MMFullyShardedDataParallel', 'FullyShardedDataParallel'
_NO_SHARDING = (
    "is not supported: MMEngine's FSDP has no stages, which freeze parts of a model "
    'and build optimizers anew, and its checkpoints are resumed by shards alone. '
    "Weights are divided over processes by model_wrapper_cfg.type='ReIDFullySharded' "
    '(docs/processes.md).'
)


@MODEL_WRAPPERS.register_module()
class ReIDDataParallel(MMDistributedDataParallel):
    """MMEngine's ``MMDistributedDataParallel``, for models on the CPU as well.

    Its batch norms see the batch of all processes, like everything else, so that a
    training doesn't depend on their number.

    Args:
        module: The model.
        device_ids: The GPU of this process; ignored for a model on the CPU.
        sync_bn: Whether batch norms in training mode have the statistics of all
            processes (:class:`.SyncedBatchNorm`), or each process its own, as faster
            recipes have it. Running statistics are then those of the first process.
        **kwargs: See MMEngine's ``MMDistributedDataParallel``.
    """

    def __init__(
        self,
        module: nn.Module,
        device_ids: list[int] | None = None,
        sync_bn: bool = True,
        **kwargs: Any,  # noqa: ANN401
    ) -> None:
        if sync_bn:
            # Heads, and necks that ask for it, are given the rows of all processes
            parts: list[str] = getattr(module, 'parts_with_global_batch', list)()
            sync_batch_norms(module, parts)
        if 'broadcast_buffers' in kwargs and _HAS_NEW_NAME:
            kwargs['forward_sync_buffers'] = kwargs.pop('broadcast_buffers')
        on_cpu = next(module.parameters()).device.type == 'cpu'
        super().__init__(module, device_ids=None if on_cpu else device_ids, **kwargs)


def unwrap(model: nn.Module) -> Any:  # noqa: ANN401
    """Return a model without its wrapper for several processes, if it has one.

    Example:
        >>> model = nn.Linear(2, 2)
        >>> unwrap(model) is model
        True
    """
    return model.module if is_model_wrapper(model) else model


# MMEngine's runner asks its own registry whether it takes devices
root.MODEL_WRAPPERS.register_module(module=ReIDDataParallel)


def init_distributed(launcher: str, dist_cfg: dict[str, Any]) -> None:
    """Initialize the process group of a run, if it has several processes.

    MMEngine does so on accelerators only; on the CPU the backend is gloo. From then on
    a process that fails stops the others, see :mod:`hplreid.utils.failure_board`.

    Args:
        launcher: ``'none'``, ``'pytorch'``, ``'slurm'`` or ``'mpi'``.
        dist_cfg: The config's ``env_cfg.dist_cfg``: ``backend``, ``timeout`` (seconds).
    """
    if launcher == 'none' or is_distributed():
        return
    if launcher == 'pytorch' and get_device() == 'cpu':
        timeout = timedelta(seconds=dist_cfg.get('timeout', 1800))
        torch_dist.init_process_group('gloo', timeout=timeout)
    else:
        init_dist(launcher, **dist_cfg)
    rank, world = get_dist_info()
    if world > 1:
        open_board(rank, world)


def find_parallel_problems(config: Mapping[str, Any]) -> list[str]:
    """Return a message for each way of a config to use processes that can't be had.

    Example:
        >>> find_parallel_problems(dict(sync_bn='torch'))
        ["sync_bn='torch': batch norms have the statistics of all processes by ..."]
    """
    problems = []
    wrapper = config.get('model_wrapper_cfg') or {}
    kind = wrapper.get('type')
    if kind in _SHARDED:
        problems.append(f"model_wrapper_cfg: type='{kind}' {_NO_SHARDING}")
    elif isinstance(kind, str):
        try:
            MODEL_WRAPPERS.get(kind)
        except KeyError as error:
            problems.append(f'model_wrapper_cfg: {error.args[0]}')
    if config.get('strategy') is not None:
        problems.append(f'strategy={config["strategy"]!r} {_NO_SHARDING}')
    if config.get('runner_type') == 'FlexibleRunner':
        problems.append(f"runner_type='FlexibleRunner' {_NO_SHARDING}")
    problems += find_sharding_problems(config)
    if config.get('sync_bn') is not None:
        problems.append(
            f'sync_bn={config["sync_bn"]!r}: batch norms have the statistics of all '
            'processes by model_wrapper_cfg.sync_bn, which is True unless it is set. '
            'Remove the key at the top.'
        )
    return problems


def is_local_main_process() -> bool:
    """Return whether this is the first process of its machine."""
    return int(os.environ.get('LOCAL_RANK', 0)) == 0

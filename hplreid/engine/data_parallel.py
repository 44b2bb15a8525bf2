"""Distributed training on GPUs or on the CPU: process group and model wrapper."""

import os
from datetime import timedelta
from typing import Any

import torch.distributed as torch_dist
from mmengine.device import get_device
from mmengine.dist import get_dist_info, init_dist, is_distributed
from mmengine.model import MMDistributedDataParallel, is_model_wrapper
from mmengine.registry import MODEL_WRAPPERS
from torch import nn

from hplreid.models.layers.synced_batch_norm import sync_batch_norms
from hplreid.utils.failure_board import open_board


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
            parts = getattr(module, 'parts_with_global_batch', list)()
            sync_batch_norms(module, parts)
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


def is_local_main_process() -> bool:
    """Return whether this is the first process of its machine."""
    return int(os.environ.get('LOCAL_RANK', 0)) == 0

"""Distributed training on GPUs or on the CPU: process group and model wrapper."""

import os
from datetime import timedelta
from typing import Any

import torch.distributed as torch_dist
from mmengine.device import get_device
from mmengine.dist import init_dist, is_distributed
from mmengine.model import MMDistributedDataParallel, is_model_wrapper
from mmengine.registry import MODEL_WRAPPERS
from torch import nn


@MODEL_WRAPPERS.register_module()
class ReIDDataParallel(MMDistributedDataParallel):
    """MMEngine's ``MMDistributedDataParallel``, for models on the CPU as well.

    Args:
        module: The model.
        device_ids: The GPU of this process; ignored for a model on the CPU.
        **kwargs: See MMEngine's ``MMDistributedDataParallel``.
    """

    def __init__(
        self,
        module: nn.Module,
        device_ids: list[int] | None = None,
        **kwargs: Any,  # noqa: ANN401
    ) -> None:
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

    MMEngine does so on accelerators only; on the CPU the backend is gloo.

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


def is_local_main_process() -> bool:
    """Return whether this is the first process of its machine."""
    return int(os.environ.get('LOCAL_RANK', 0)) == 0

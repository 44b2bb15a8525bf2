"""The one place where tensors cross processes during training."""

import torch
from mmengine.dist import get_dist_info
from torch import Tensor
from torch.distributed.nn.functional import all_gather


def get_rank_and_size() -> tuple[int, int]:
    """Return this process' rank and the number of processes (0, 1 without any)."""
    return get_dist_info()


def gather_with_grad(x: Tensor) -> Tensor:
    """Concatenate ``x`` of every rank along dimension 0, in the order of ranks.

    The gradient that reaches a rank is the sum of what every rank's loss sends to its
    rows. Where each rank computes the whole global loss, that is world size times the
    gradient of one such loss, and the averaging of DDP makes it exactly that.

    Args:
        x: ``(N, ...)`` with the same shape on every rank.

    Returns:
        ``(world * N, ...)``; ``x`` itself with one process.
    """
    _, world = get_rank_and_size()
    if world == 1:
        return x
    return torch.cat(all_gather(x))

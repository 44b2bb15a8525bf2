"""Gather tensors of all processes during training, with gradients."""

import torch
from mmengine.dist import get_dist_info
from torch import Tensor
from torch.distributed.nn.functional import all_gather


def get_rank_and_size() -> tuple[int, int]:
    """Return the rank of this process and the number of processes, at least 1."""
    return get_dist_info()


def gather_with_grad(x: Tensor) -> Tensor:
    """Concatenate ``x`` of every rank along dimension 0, in the order of ranks.

    The gradient at the rows of a rank is the sum of the gradients of all ranks' losses.
    Where each rank computes the same global loss, that is the number of processes times
    the gradient of the loss, which DDP's averaging over processes divides again.

    Args:
        x: ``(N, ...)`` with the same shape on every rank.

    Returns:
        ``(world * N, ...)``; ``x`` itself with one process.

    Example:
        >>> gather_with_grad(torch.ones(2, 3)).shape  # in one process
        torch.Size([2, 3])
    """
    _, world = get_rank_and_size()
    if world == 1:
        return x
    return torch.cat(all_gather(x))

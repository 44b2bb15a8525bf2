"""Gather tensors of all processes during training, with gradients."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.distributed as torch_dist
from mmengine.dist import get_dist_info
from torch import Tensor
from torch.autograd import Function


def get_rank_and_size() -> tuple[int, int]:
    """Return the rank of this process and the number of processes, at least 1."""
    return get_dist_info()


def gather_with_grad(x: Tensor, counts: Sequence[int] | None = None) -> Tensor:
    """Concatenate ``x`` of every rank along dimension 0, in the order of ranks.

    The gradient at the rows of a rank is the sum of the gradients of all ranks' losses.
    Where each rank computes the same global loss, that is the number of processes times
    the gradient of the loss, which DDP's averaging over processes divides again.

    Args:
        x: ``(N, ...)``, with the same shape on every rank but for N.
        counts: N of every rank. Defaults to None: they are equal.

    Returns:
        ``(sum of N, ...)``; ``x`` itself with one process.

    Example:
        >>> gather_with_grad(torch.ones(2, 3)).shape  # in one process
        torch.Size([2, 3])
    """
    _, world = get_rank_and_size()
    if world == 1:
        return x
    return _Gather.apply(x, [len(x)] * world if counts is None else counts)


def gather_counts(count: int, device: torch.device | str) -> list[int]:
    """Return a number of every rank, in the order of ranks.

    Args:
        count: This rank's.
        device: One that the process group can communicate with, the model's.

    Example:
        >>> gather_counts(3, 'cpu')  # in one process
        [3]
    """
    _, world = get_rank_and_size()
    if world == 1:
        return [count]
    own = torch.tensor([count], device=device)
    found = [torch.empty_like(own) for _ in range(world)]
    torch_dist.all_gather(found, own)
    return torch.cat(found).tolist()


class _Gather(Function):
    """Rows of all ranks; backward, the sum of their gradients at a rank's own rows."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, counts: Sequence[int]) -> Tensor:  # noqa: ANN401
        rank, _ = get_rank_and_size()
        ctx.rows = slice(sum(counts[:rank]), sum(counts[: rank + 1]))
        lacking = max(counts) - len(x)
        if lacking:  # only equal shapes can be gathered
            x = torch.cat([x, x.new_zeros(lacking, *x.shape[1:])])
        x = x.contiguous()
        gathered = [torch.empty_like(x) for _ in counts]
        torch_dist.all_gather(gathered, x)
        return torch.cat([g[:n] for g, n in zip(gathered, counts, strict=True)])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401
        total = grad.clone(memory_format=torch.contiguous_format)
        torch_dist.all_reduce(total)
        return total[ctx.rows], None

"""Batch normalization with the statistics of the batch of all processes."""

from collections.abc import Collection
from typing import Any

import torch
import torch.distributed as torch_dist
import torch.nn.functional as F
from timm.layers import BatchNormAct2d
from torch import Tensor, nn
from torch.autograd import Function
from torch.nn.modules.batchnorm import _BatchNorm

from hplreid.utils.distributed import get_rank_and_size
from hplreid.utils.user_error import UserError


class SyncedBatchNorm(_BatchNorm):
    """Batch norm of 1, 2 or 3 dimensions over the rows of all processes.

    PyTorch's ``SyncBatchNorm`` is for GPUs alone. Means, variances and their gradients
    are those of the rows of all processes, each process counting by how many it has;
    so are the running statistics. In evaluation mode, and in one process, it computes
    what ``BatchNorm`` computes, bit for bit.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalized rows of this process, ``(N, C, ...)`` as they came."""
        _, world = get_rank_and_size()
        by_batch = self.training or self.running_mean is None
        return (
            self._normalize(x, world) if by_batch and world > 1 else super().forward(x)
        )

    def _check_input_dim(self, input: Tensor) -> None:  # noqa: A002
        """Accept rows of any number of dimensions."""

    @torch.compiler.disable
    def _normalize(self, x: Tensor, world: int) -> Tensor:
        out, mean, var, count = _Normalize.apply(
            x, self.weight, self.bias, self.eps, world
        )
        if self.training and self.track_running_stats:
            self._update_running(mean, var, count)
        return out

    @torch.no_grad()
    def _update_running(self, mean: Tensor, var: Tensor, count: Tensor) -> None:
        """Move the running statistics; the variance is the unbiased one there."""
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        self.num_batches_tracked.add_(1)
        share = self.momentum
        if share is None:  # the mean of all batches so far
            share = 1 / float(self.num_batches_tracked)
        unbiased = var * (count / (count - 1))
        self.running_mean.mul_(1 - share).add_(mean, alpha=share)
        self.running_var.mul_(1 - share).add_(unbiased, alpha=share)


class SyncedBatchNormAct(SyncedBatchNorm):
    """The same for timm's ``BatchNormAct2d``, which has an activation in it."""

    drop: nn.Module
    act: nn.Module

    def forward(self, x: Tensor) -> Tensor:
        """Return the activations of the normalized maps, ``(N, C, H, W)``."""
        return self.act(self.drop(super().forward(x)))


class _Normalize(Function):
    """Normalize by the statistics of all processes, with their gradients."""

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401
        x: Tensor,
        weight: Tensor | None,
        bias: Tensor | None,
        eps: float,
        world: int,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        wide = _widen(x)
        own_var, own_mean = torch.var_mean(wide, dim=_rows_of(x), correction=0)
        own = own_mean.new_full((1,), x.numel() // x.shape[1])
        packed = torch.cat([own, own_mean, own_var])
        gathered = [torch.empty_like(packed) for _ in range(world)]
        torch_dist.all_gather(gathered, packed)
        every = torch.stack(gathered)
        counts = every[:, :1]
        means, variances = every[:, 1:].chunk(2, dim=1)
        count = counts.sum()
        mean = (counts * means).sum(0) / count
        # Within processes and between them: sums of squares less squares lose digits
        var = (counts * (variances + (means - mean).square())).sum(0) / count
        ctx.save_for_backward(x, weight, mean, (var + eps).rsqrt(), count)
        ctx.mark_non_differentiable(mean, var, count)
        out = F.batch_norm(
            wide, mean, var, _widen(weight), _widen(bias), training=False, eps=eps
        )
        return out.to(x.dtype), mean, var, count

    @staticmethod
    def backward(
        ctx: Any,  # noqa: ANN401
        grad: Tensor,
        *_: Tensor,
    ) -> tuple[Tensor | None, ...]:
        x, weight, mean, scale, count = ctx.saved_tensors
        shape = (1, -1, *[1] * (x.dim() - 2))
        rows = _rows_of(x)
        wide = _widen(grad)
        normalized = (_widen(x) - mean.view(shape)) * scale.view(shape)
        grad_bias = wide.sum(rows)
        grad_weight = (wide * normalized).sum(rows)
        means = torch.stack([grad_bias, grad_weight])
        torch_dist.all_reduce(means)
        of_bias, of_weight = (means / count).unbind(0)
        slope = scale if weight is None else scale * weight
        grad_x = slope.view(shape) * (
            wide - of_bias.view(shape) - normalized * of_weight.view(shape)
        )
        # Those of the parameters are of this process' rows: the wrapper adds them up
        needs = ctx.needs_input_grad
        return (
            grad_x.to(x.dtype) if needs[0] else None,
            grad_weight.to(weight.dtype) if needs[1] else None,
            grad_bias if needs[2] else None,
            None,
            None,
        )


def _widen(x: Any) -> Any:  # noqa: ANN401
    """Return a tensor in float32, or in float64 as it came; None as it is."""
    return x if x is None or x.dtype == torch.float64 else x.float()


def _rows_of(x: Tensor) -> list[int]:
    """Return all dimensions but that of the channels."""
    return [0, *range(2, x.dim())]


class BatchNormError(UserError, TypeError):
    """A batch norm can't see the batch of all processes."""


def sync_batch_norms(model: nn.Module, leave_out: Collection[str] = ()) -> list[str]:
    """Make the batch norms of a model see the rows of all processes.

    Parameters, buffers and their names stay.

    Args:
        model: The model, changed in place.
        leave_out: Names of parts that see the rows of all processes anyway.

    Returns:
        The names of those that were changed.

    Raises:
        BatchNormError: A class of batch norms computes in a way that isn't known.

    Example:
        >>> model = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6))
        >>> sync_batch_norms(model)
        ['1']
        >>> model[1]
        SyncedBatchNorm(6, eps=1e-05, momentum=0.1, affine=True, ...)
    """
    changed = []
    for place, module in model.named_modules():
        if not isinstance(module, _BatchNorm) or isinstance(module, SyncedBatchNorm):
            continue
        if any(place == part or place.startswith(f'{part}.') for part in leave_out):
            continue
        module.__class__ = _synced_class(place, type(module))
        changed.append(place)
    return changed


def _synced_class(place: str, cls: type[nn.Module]) -> type[SyncedBatchNorm]:
    if cls.forward is BatchNormAct2d.forward:
        return SyncedBatchNormAct
    if cls.forward is _BatchNorm.forward:
        return SyncedBatchNorm
    raise BatchNormError(
        f'{place} is a {cls.__name__} of {cls.__module__}, whose statistics cannot be '
        'made those of all processes. Train in one process, with another '
        'normalization, or with model_wrapper_cfg.sync_bn=False: then each process '
        'has statistics of its own, and the training depends on their number.'
    )

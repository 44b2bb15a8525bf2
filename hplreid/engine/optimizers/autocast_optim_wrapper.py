"""Train in mixed precision on any device."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from hplreid.registry import OPTIM_WRAPPERS

from ..precision import choose_precision
from ..sharding import whole


@OPTIM_WRAPPERS.register_module()
class AutocastOptimWrapper(OptimWrapper):
    """Runs the forward pass in ``precision``; weights and optimizer stay in fp32.

    MMEngine's ``AmpOptimWrapper`` needs an accelerator; this one works on the device of
    the parameters. The norm of the gradient before it is clipped stays on the device,
    as ``grad_norm``, for :class:`LossLogHook` to log. With ``skip_non_finite`` set, a
    step whose gradient isn't finite leaves the parameters as they are, and ``skipped``
    says so; gradients are those of all processes, so that all of them skip it.

    Args:
        precision: ``'auto'``, which asks the device (see :func:`.choose_precision`);
            ``'fp32'``, the default; ``'bf16'``; or, on CUDA only, ``'fp16'`` with a
            loss scaler.
        **kwargs: ``optimizer``, ``clip_grad`` and ``accumulative_counts``, see
            MMEngine's ``OptimWrapper``. With ``accumulative_counts=n`` parameters are
            updated after every n-th step, by the mean of n gradients; each loss sees
            its own batch. A stage's ``micro_batch_size`` is for losses that should see
            the whole one.

    Raises:
        ValueError: The precision is unknown, or fp16 without CUDA.
    """

    def __init__(
        self,
        precision: str = 'fp32',
        **kwargs: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(**kwargs)
        device = self.optimizer.param_groups[0]['params'][0].device
        self.precision = choose_precision(precision, device)
        scaled = self.precision.name == 'fp16'
        self.scaler = torch.amp.GradScaler('cuda') if scaled else None
        self.grad_norm: Tensor | None = None
        self.skip_non_finite = self.skipped = False

    @classmethod
    def find_problems(cls, precision: str = 'fp32', **_: object) -> list[str]:
        """Return why the device can't train in a precision, in words."""
        choose_precision(precision)
        return []

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Run the forward pass of a ``with`` block in ``precision``."""
        with super().optim_context(model), self.precision.autocast(), self._attention():
            yield

    def _attention(self) -> AbstractContextManager[None]:
        """Return the context that selects the attention kernel.

        PyTorch's fused kernel for CPUs spends half of a bf16 step in its backward pass;
        with plain matrix products the step took half as long (0.31 s, not 0.62 s).
        """
        if self.precision.name == 'bf16' and self.precision.device.type == 'cpu':
            return sdpa_kernel(SDPBackend.MATH)
        return nullcontext()

    def initialize_count_status(
        self, model: nn.Module, init_counts: int, max_counts: int
    ) -> None:
        """Set the step at which a stage is, and its number of steps.

        MMEngine's warns of gradients that a resumed run has lost; ours are saved.
        """
        self._inner_count, self._max_counts = init_counts, max_counts
        self._remainder_counts = max_counts % self._accumulative_counts

    def should_sync(self) -> bool:
        """Average gradients over processes in every step, not in that of an update.

        What a checkpoint saves of accumulated gradients is then that of all of them.
        """
        return True

    def backward(self, loss: Tensor, **kwargs: Any) -> None:  # noqa: ANN401
        """Backpropagate ``loss``, scaled if there is a scaler."""
        self.skipped = False
        if self.scaler is not None:
            loss = self.scaler.scale(loss)
        super().backward(loss, **kwargs)

    def step(self, **kwargs: Any) -> None:  # noqa: ANN401
        """Clip the gradients, then update the parameters.

        With a scaler, a step whose gradients are not finite is skipped.
        """
        if self.scaler is not None:
            self.scaler.unscale_(self.optimizer)
        self._clip_grad()
        if self.skip_non_finite and self.grad_norm is not None:
            self.skipped = not bool(self.grad_norm.isfinite())
        if self.scaler is not None:
            self.scaler.step(self.optimizer, **kwargs)  # skips by itself
            self.scaler.update()
        elif not self.skipped:
            self.optimizer.step(**kwargs)

    def _parameters(self) -> list[Tensor]:
        return [p for group in self.optimizer.param_groups for p in group['params']]

    def _clip_grad(self) -> None:
        params = [p for p in self._parameters() if p.grad is not None]
        grads = [p.grad for p in params if p.grad is not None]
        if not grads:
            return
        norm = None
        if self.clip_grad_kwargs:
            norm = self.clip_func(params, **self.clip_grad_kwargs)
        if norm is None:  # clipped by value, or not at all
            norms = torch._foreach_norm(grads)
            norm = torch.linalg.vector_norm(torch.stack(norms))
        self.grad_norm = whole(norm.detach())

    def state_dict(self) -> dict[str, Any]:
        """Return the optimizer's state, the scaler's, and accumulated gradients."""
        state = super().state_dict()
        if self._inner_count % self._accumulative_counts:
            gradients = {i: p.grad for i, p in enumerate(self._parameters())}
            state['gradients'] = {
                i: whole(g) for i, g in gradients.items() if g is not None
            }
        if self.scaler is not None:
            state['loss_scaler'] = self.scaler.state_dict()
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load a state that :meth:`state_dict` returned.

        A run may be resumed in another precision: the state of a scaler is ignored
        without one, and a scaler starts anew without a state.
        """
        for i, gradient in state_dict.pop('gradients', {}).items():
            parameter = self._parameters()[i]
            parameter.grad = gradient.to(parameter.device, copy=True)
        scaler = state_dict.pop('loss_scaler', None)
        if scaler is not None and self.scaler is not None:
            self.scaler.load_state_dict(scaler)
        super().load_state_dict(state_dict)

"""Tell how much each loss term pulls at the parameters, beside the others."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from hplreid.registry import HOOKS

from ..data_parallel import unwrap
from ..random_state import preserved_rng
from ..sharding import gathered


def gradient_norms(
    losses: Mapping[str, Tensor], parameters: list[nn.Parameter]
) -> dict[str, float]:
    """Return the L2 norm of each loss's gradient, over all parameters together.

    Args:
        losses: Scalars by name, of one graph.
        parameters: At which the gradient is taken; those that a loss doesn't reach
            count as 0. With several processes it is their mean, as in a step.

    Example:
        >>> w = nn.Parameter(torch.tensor([3.0, 4.0]))
        >>> gradient_norms({'loss_a': 2 * w.sum(), 'loss_b': w.square().sum()}, [w])
        {'loss_a': 2.828..., 'loss_b': 10.0}
    """
    norms = {}
    for name, loss in losses.items():
        squares = torch.zeros((), device=loss.device)
        found: tuple[Tensor | None, ...] = (None,) * len(parameters)
        if loss.requires_grad:
            found = torch.autograd.grad(
                loss, parameters, retain_graph=True, allow_unused=True
            )
        for parameter, gradient in zip(parameters, found, strict=True):
            # Every process takes part, whether the loss reaches its parameter or not
            own = torch.zeros_like(parameter) if gradient is None else gradient
            all_reduce(own, 'mean')
            squares += own.float().square().sum()
        norms[name] = squares.sqrt().item()
    return norms


@HOOKS.register_module()
class GradientShareHook(Hook):
    """Logs each weighted loss term's share of the gradient.

    Every ``interval`` steps the step's batch is encoded once more, and the gradient of
    each term is taken alone. The log has ``gradient_norm/<term>``, and
    ``gradient_share/<term>``: that norm over the sum of all. Training goes on as
    without the hook: random generators and the statistics of batch norms are put back.
    Such a step takes about one more forward pass, and a backward pass for each term.

    Args:
        interval: Steps between two measurements. Defaults to 50.

    Raises:
        ValueError: ``interval`` is below 1.
    """

    def __init__(self, interval: int = 50) -> None:
        if interval < 1:
            raise ValueError(f'interval={interval}: expected at least 1.')
        self.interval = interval

    def before_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,  # noqa: ANN401
    ) -> None:
        """Measure the shares at the parameters before the step."""
        if runner.iter % self.interval:
            return
        model = unwrap(runner.model)
        with (
            preserved_rng(),
            _kept_statistics(model),
            gathered(model),
            torch.enable_grad(),
        ):
            parameters = [p for p in model.parameters() if p.requires_grad]
            data = model.data_preprocessor(data_batch, True)
            with runner.optim_wrapper.optim_context(model):
                # Not model(...), whose hooks would divide gradients of shards
                losses = model.forward(**data, mode='loss')
            norms = gradient_norms(losses, parameters)
        total = sum(norms.values())
        for name, norm in norms.items():
            hub = runner.message_hub
            hub.update_scalar(f'train/gradient_norm/{name}', norm)
            share = norm / total if total else 0.0
            hub.update_scalar(f'train/gradient_share/{name}', share)


@contextmanager
def _kept_statistics(model: nn.Module) -> Iterator[None]:
    """Put the running statistics of norms back at the end of a ``with`` block."""
    kept = [
        (buffer, buffer.clone())
        for module in model.modules()
        if isinstance(module, _NormBase)
        for buffer in module.buffers(recurse=False)
    ]
    try:
        yield
    finally:
        for buffer, value in kept:
            buffer.copy_(value)

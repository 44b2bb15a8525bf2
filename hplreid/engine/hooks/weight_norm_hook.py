"""Tell how large the weights of each part of a model are, and how far a step goes."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor, nn

from hplreid.registry import HOOKS

from ..data_parallel import unwrap
from ..sharding import gathered

_LOGGED = ('train/weight_norm/', 'train/update_ratio/')


def trainable_parts(model: nn.Module) -> dict[str, list[nn.Parameter]]:
    """Return the trainable parameters of each part: ``image_encoder``, ``heads``.

    Args:
        model: The model, whose parts are its children; parameters of its own are named
            ``own``. A parameter of two parts is of the first.

    Example:
        >>> model = nn.ModuleDict({'tower': nn.Linear(3, 2), 'heads': nn.Linear(2, 4)})
        >>> model['tower'].bias.requires_grad_(False)
        Parameter containing:
        ...
        >>> {part: len(found) for part, found in trainable_parts(model).items()}
        {'tower': 1, 'heads': 2}
    """
    parts: dict[str, list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        part, inside, _ = name.partition('.')
        if parameter.requires_grad:
            parts.setdefault(part if inside else 'own', []).append(parameter)
    return parts


def part_norms(parts: Mapping[str, Sequence[Tensor]]) -> dict[str, Tensor]:
    """Return the L2 norm of each part, over all of its tensors together.

    Args:
        parts: Tensors by part.

    Returns:
        Scalars in float32, on the device of the tensors.

    Example:
        >>> parts = {'tower': [torch.tensor([3.0]), torch.tensor([[0.0, 4.0]])]}
        >>> part_norms(parts)
        {'tower': tensor(5.)}
    """
    return {
        part: torch.linalg.vector_norm(torch.stack(torch._foreach_norm(list(own))))
        for part, own in parts.items()
    }


@HOOKS.register_module()
class WeightNormHook(Hook):
    """Logs the norm of each part's trainable weights, and what an update is of it.

    Every ``interval`` steps the log has ``weight_norm/<part>``, the norm after the
    step, and ``update_ratio/<part>``, the norm of what the step has added over the norm
    before it: with learning rate, moments and weight decay. Where gradients are
    accumulated, it is that of the next update. The weights are copied before such a
    step; other steps cost nothing.

    Args:
        interval: Steps between two measurements. Defaults to 50.

    Raises:
        ValueError: ``interval`` is below 1.
    """

    def __init__(self, interval: int = 50) -> None:
        if interval < 1:
            raise ValueError(f'interval={interval}: expected at least 1.')
        self.interval = interval
        self._before: dict[str, list[Tensor]] = {}

    def before_train_epoch(self, runner: Runner) -> None:
        """Forget weights that were kept, and norms of parts that aren't trained now."""
        self._before = {}
        parts = trainable_parts(unwrap(runner.model))
        scalars = runner.message_hub.log_scalars
        for key in [k for k in scalars if k.startswith(_LOGGED)]:
            if key.rpartition('/')[2] not in parts:
                del scalars[key]

    def before_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,  # noqa: ANN401
    ) -> None:
        """Keep the weights before a step that is measured."""
        if runner.iter % self.interval == 0:
            model = unwrap(runner.model)
            with gathered(model):
                self._before = {
                    part: [p.detach().clone() for p in own]
                    for part, own in trainable_parts(model).items()
                }

    @torch.no_grad()
    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,  # noqa: ANN401
        outputs: dict[str, Tensor] | None = None,
    ) -> None:
        """Compare the weights with those before, if there was an update."""
        if not self._before or not runner.optim_wrapper.should_update():
            return
        before, self._before = self._before, {}
        model, old = unwrap(runner.model), part_norms(before)
        with gathered(model):
            parts = trainable_parts(model)
            for part, own in parts.items():
                torch._foreach_sub_(before[part], [p.detach() for p in own])
            found = [part_norms(parts), part_norms(before), old]
        flat = [norms[part].float() for norms in found for part in parts]
        new, moved, length = torch.stack(flat).view(3, -1).tolist()  # one copy
        hub = runner.message_hub
        for number, part in enumerate(parts):
            hub.update_scalar(f'train/weight_norm/{part}', new[number])
            if length[number]:
                ratio = moved[number] / length[number]
                hub.update_scalar(f'train/update_ratio/{part}', ratio)

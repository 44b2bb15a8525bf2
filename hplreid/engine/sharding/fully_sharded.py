"""The model wrapper that divides weights over processes, and what it can't do."""

from collections.abc import Mapping
from typing import Any

import mmengine.registry as root
import torch
import torch.distributed as torch_dist
from mmengine.hooks import EMAHook
from mmengine.optim import OptimWrapper
from packaging.version import Version
from torch import Tensor, nn

from hplreid.models.layers.synced_batch_norm import sync_batch_norms
from hplreid.registry import HOOKS, MODEL_WRAPPERS
from hplreid.utils.user_error import UserError

from .shards import shard, shards_of

NAME = 'ReIDFullySharded'
_FIRST_TORCH = Version('2.7')  # whose fully_shard can leave out parameters


class ShardingError(UserError, RuntimeError):
    """A training can't have its weights in shards."""


@MODEL_WRAPPERS.register_module()
class ReIDFullySharded(nn.Module):
    """Divides parameters, gradients and optimizer states over processes (FSDP).

    :class:`.StagedTrainLoop` calls :meth:`shard` when a stage begins: until then, and
    in a test, the model is whole. It trains to what :class:`.ReIDDataParallel` trains.

    Args:
        module: The model.
        sync_bn: See :class:`.ReIDDataParallel`.
        broadcast_buffers: False: buffers are equal in all processes, or of each one.
        find_unused_parameters: False. Both are there so that the type of a
            ``model_wrapper_cfg`` can be exchanged alone.

    Raises:
        ShardingError: One of the last two is True.
    """

    def __init__(
        self,
        module: nn.Module,
        sync_bn: bool = True,
        broadcast_buffers: bool = False,
        find_unused_parameters: bool = False,
    ) -> None:
        super().__init__()
        if broadcast_buffers or find_unused_parameters:
            raise ShardingError(
                f'model_wrapper_cfg.type={NAME!r} takes broadcast_buffers=False and '
                'find_unused_parameters=False alone; ReIDDataParallel takes others.'
            )
        if sync_bn:
            parts: list[str] = getattr(module, 'parts_with_global_batch', list)()
            sync_batch_norms(module, parts)
        self.module: Any = module
        for buffer in module.buffers():
            # As DistributedDataParallel does: without sync_bn each process has its own
            torch_dist.broadcast(buffer.data, 0)

    def shard(self, optimizer: torch.optim.Optimizer) -> None:
        """Divide the model, and what an optimizer of it keeps, see :func:`.shard`."""
        shard(self.module, optimizer)

    def forward(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Call the model."""
        return self.module(*args, **kwargs)

    def train_step(self, data: Any, optim_wrapper: OptimWrapper) -> dict[str, Tensor]:  # noqa: ANN401
        """Train one step, see MMEngine's ``MMDistributedDataParallel``.

        Raises:
            ShardingError: Nobody has called :meth:`shard`, so that processes would
                train apart.
        """
        shards = shards_of(self.module)
        if shards is None:
            raise ShardingError(
                f'model_wrapper_cfg.type={NAME!r} needs train_cfg.type='
                "'StagedTrainLoop', which divides the weights."
            )
        with optim_wrapper.optim_context(self):
            data = self.module.data_preprocessor(data, training=True)
            losses = self.module(**data, mode='loss')
        loss, log_vars = self.module.parse_losses(losses)
        optim_wrapper.backward(optim_wrapper.scale_loss(loss))
        shards.take_gradients()
        if optim_wrapper.should_update():
            optim_wrapper.step()
            optim_wrapper.zero_grad()
        return log_vars

    def val_step(self, data: Any) -> list:  # noqa: ANN401
        """Return the predictions of a batch, in a validation."""
        return self.module.val_step(data)

    def test_step(self, data: Any) -> list:  # noqa: ANN401
        """Return the predictions of a batch, in a test."""
        return self.module.test_step(data)


# MMEngine's runner asks its own registry whether it takes devices
root.MODEL_WRAPPERS.register_module(module=ReIDFullySharded)


def find_sharding_problems(config: Mapping[str, Any]) -> list[str]:
    """Return a message for each part of a config that can't work with shards.

    Example:
        >>> wrapper = dict(type='ReIDFullySharded')
        >>> find_sharding_problems(dict(model_wrapper_cfg=wrapper, compile=True))
        ["compile=True: not with model_wrapper_cfg.type='ReIDFullySharded' ..."]
    """
    wrapper = config.get('model_wrapper_cfg') or {}
    if wrapper.get('type') != NAME:
        return []
    return [
        f"{place}: not with model_wrapper_cfg.type='{NAME}'{why}. Remove it, or take "
        "type='ReIDDataParallel'."
        for place, why in _find_conflicts(config)
    ]


def _find_conflicts(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = []
    if Version(torch.__version__).release < _FIRST_TORCH.release:
        found.append((f'PyTorch {torch.__version__}', f', which needs {_FIRST_TORCH}'))
    if config.get('compile'):
        found.append((f'compile={config["compile"]!r}', ', whose hooks it breaks'))
    for i, hook in enumerate(config.get('custom_hooks') or ()):
        kind = HOOKS.get(hook.get('type')) if isinstance(hook, Mapping) else None
        if isinstance(kind, type) and issubclass(kind, EMAHook):
            found.append(
                (
                    f'custom_hooks.{i}: {hook["type"]}',
                    ', for it averages whole weights in every step',
                )
            )
    stages = (config.get('train_cfg') or {}).get('stages') or {}
    optims = {'': config, **{f'train_cfg.stages.{n}.': s for n, s in stages.items()}}
    for place, part in optims.items():
        optim = part.get('optim_wrapper') or {}
        if optim.get('precision') == 'fp16':
            found.append(
                (
                    f"{place}optim_wrapper.precision='fp16'",
                    ', for its loss scaler would look at the gradients of one process; '
                    'bf16 needs none',
                )
            )
    return found

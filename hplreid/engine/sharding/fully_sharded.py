"""The model wrapper that divides weights over processes, and what it can't do."""

from collections.abc import Iterator, Mapping
from typing import Any

import mmengine.registry as root
import torch
import torch.distributed as torch_dist
from mmengine.hooks import EMAHook
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from hplreid.models.layers.synced_batch_norm import sync_batch_norms
from hplreid.registry import HOOKS, MODEL_WRAPPERS
from hplreid.utils.log import log
from hplreid.utils.tensor_memory import count_bytes
from hplreid.utils.user_error import UserError

from ..precision import choose_precision
from .shards import FUSED, local, shard, shards_of

NAME = 'ReIDFullySharded'
FIRST_TORCH = (2, 7)
"""Of PyTorch, whose ``fully_shard`` is public and can leave out parameters."""
Conflict = tuple[str, str]
"""A place in a config with its value, and why it can't be had."""
_FUSED = [cls.__name__ for cls in FUSED]


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
        ValueError: One of the last two is True.
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
            raise ValueError(
                f'{NAME} takes broadcast_buffers=False and find_unused_parameters='
                'False alone.'
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
        whole = count_bytes(self.module.parameters())
        first = shards_of(self.module) is None
        shard(self.module, optimizer)
        if first:
            own = count_bytes(map(local, self.module.parameters()))
            log(
                f'Weights in shards: this process keeps {own / 2**20:.1f} of '
                f'{whole / 2**20:.1f} MiB of parameters, and such a share of gradients '
                'and of what the optimizer keeps of them.'
            )

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
        ["compile=True can't be had with model_wrapper_cfg.type='ReIDFullySharded'..."]
    """
    wrapper = config.get('model_wrapper_cfg') or {}
    if wrapper.get('type') != NAME:
        return []
    conflicts = [*_find_conflicts(config), *_find_optimizer_conflicts(config)]
    return [
        f"{place} can't be had with model_wrapper_cfg.type='{NAME}': {why}. Remove it, "
        "or take type='ReIDDataParallel'."
        for place, why in conflicts
    ]


def _find_conflicts(config: Mapping[str, Any]) -> Iterator[Conflict]:
    version = tuple(int(part) for part in torch.__version__.split('.')[:2])
    if version < FIRST_TORCH:
        needed = '.'.join(map(str, FIRST_TORCH))
        yield f'PyTorch {torch.__version__}', f'its fully_shard is that of {needed} on'
    for key in ('broadcast_buffers', 'find_unused_parameters'):
        if config['model_wrapper_cfg'].get(key):
            yield f'model_wrapper_cfg.{key}=True', 'that is of DistributedDataParallel'
    if config.get('compile'):
        why = 'its step is not known to; compiled=True of a tower is'
        yield f'compile={config["compile"]!r}', why
    if config.get('runner_type', 'ReIDRunner') != 'ReIDRunner':
        why = "only ReIDRunner's checkpoints have the shards of all processes"
        yield f"runner_type='{config['runner_type']}'", why
    for index, hook in enumerate(config.get('custom_hooks') or ()):
        kind = HOOKS.get(hook['type']) if isinstance(hook, Mapping) else type(hook)
        if isinstance(kind, type) and issubclass(kind, EMAHook):
            why = 'it keeps a whole copy, and reads whole weights in every step'
            yield f'custom_hooks.{index} ({kind.__name__})', why


def _find_optimizer_conflicts(config: Mapping[str, Any]) -> Iterator[Conflict]:
    stages = (config.get('train_cfg') or {}).get('stages') or {}
    places = {'': config, **{f'train_cfg.stages.{n}.': s for n, s in stages.items()}}
    for place, part in places.items():
        optim = part.get('optim_wrapper') or {}
        kind, precision = optim.get('type'), optim.get('precision')
        optimizer = optim.get('optimizer') or {}
        if kind not in (None, 'AutocastOptimWrapper', 'OptimWrapper'):
            yield f"{place}optim_wrapper.type='{kind}'", 'it is not known to'
        if precision and choose_precision(precision).name == 'fp16':
            why = 'its loss scaler is not known to; bf16 needs none'
            yield f"{place}optim_wrapper.precision='{precision}'", why
        if optimizer.get('fused') and optimizer.get('type') not in _FUSED:
            yield f'{place}optim_wrapper.optimizer.fused=True', f'only {_FUSED} fuse'

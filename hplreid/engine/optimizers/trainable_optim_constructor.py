"""Build an optimizer over the trainable parameters, grouped by their settings."""

import inspect
import logging
from collections.abc import Mapping
from typing import Any

from mmengine.logging import MMLogger
from mmengine.optim import DefaultOptimWrapperConstructor, OptimWrapper
from torch import nn

from hplreid.registry import OPTIM_WRAPPER_CONSTRUCTORS, OPTIM_WRAPPERS, OPTIMIZERS

from ..data_parallel import unwrap
from .row_tables import find_row_tables


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class TrainableOptimConstructor(DefaultOptimWrapperConstructor):
    """MMEngine's default constructor, for models that are partly frozen.

    ``paramwise_cfg`` has the same meaning. But the optimizer gets only parameters that
    require a gradient, and parameters with the same settings share a group: with one
    group per parameter, as in MMEngine, optimizers can't update many at once.

    **Rows that a step doesn't read keep their values.** Adam divides the decay of a row
    without a gradient by its own size: the row moves towards zero by a whole learning
    rate in each step, however small the decay is, and words and identities that a
    batch lacks are lost. So parameters that :func:`.find_row_tables` finds have no
    weight decay, unless ``custom_keys`` gives them a ``decay_mult``; and
    ``paramwise_cfg.row_decay_mult`` (default 0) is a factor of it, 1 as in code that
    decays everything.

    PyTorch's optimizers that have a fused step get it, unless the config has a word on
    it (``fused``, ``foreach``): it goes over each parameter once instead of once for
    each operation, and is equal but for rounding.

    Args:
        optim_wrapper_cfg: Config of wrapper and optimizer.
        paramwise_cfg: Settings of single parameters.

    Raises:
        ValueError: A key of ``paramwise_cfg.custom_keys`` matches no trainable
            parameter.
    """

    def __call__(self, model: nn.Module) -> OptimWrapper:
        """Build the optimizer wrapper of a model."""
        model = unwrap(model)
        check_custom_keys(model, self.paramwise_cfg)
        groups = _merge_groups(self._single_groups(model))
        optimizer = OPTIMIZERS.build(
            {**_fused_option(self.optimizer_cfg, groups), **self.optimizer_cfg},
            default_args=dict(params=groups),
        )
        for group in optimizer.param_groups:
            size = sum(p.numel() for p in group['params'])
            decay = group.get('weight_decay', 0)
            MMLogger.get_current_instance().info(
                f'Optimizer group: {size:,} parameters in {len(group["params"])} '
                f'tensors, learning rate {group["lr"]:g}, weight decay {decay:g}',
                extra=dict(file_only=True),
            )
        config = dict(self.optim_wrapper_cfg)
        config.setdefault('type', 'OptimWrapper')
        return OPTIM_WRAPPERS.build(config, default_args=dict(optimizer=optimizer))

    def _single_groups(self, model: nn.Module) -> list[dict[str, Any]]:
        """Return a group for each trainable parameter, by MMEngine's rules."""
        groups: list[dict[str, Any]] = []
        logger = MMLogger.get_current_instance()
        level = logger.level
        logger.setLevel(logging.ERROR)  # it logs a line for every parameter
        try:
            self.add_params(groups, model)
        finally:
            logger.setLevel(level)
        self._spare_rows(groups, model)
        return groups

    def _spare_rows(self, groups: list[dict[str, Any]], model: nn.Module) -> None:
        """Take the weight decay from the groups of tables that are read by row."""
        factor = self.paramwise_cfg.get('row_decay_mult', 0)
        if factor == 1:
            return
        custom = self.paramwise_cfg.get('custom_keys') or {}
        spared = {
            id(parameter)
            for name in find_row_tables(model)
            if not any(k in name and 'decay_mult' in v for k, v in custom.items())
            for parameter in [model.get_parameter(name)]
        }
        for group in groups:
            if id(group['params'][0]) in spared:
                decay = group.get('weight_decay', self.base_wd)
                group['weight_decay'] = factor * (decay or 0)


def check_custom_keys(model: nn.Module, paramwise_cfg: Mapping[str, Any]) -> None:
    """Check that every key of ``custom_keys`` is in the name of a trainable parameter.

    Raises:
        ValueError: One isn't.
    """
    names = [n for n, p in model.named_parameters() if p.requires_grad]
    for key in paramwise_cfg.get('custom_keys') or {}:
        if not any(key in name for name in names):
            raise ValueError(
                f"paramwise_cfg.custom_keys: '{key}' is in no name of a trainable "
                f'parameter. Some of those names: {", ".join(names[:5])}.'
            )


def _merge_groups(singles: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Merge groups with the same settings; drop repeated parameters (tied weights)."""
    merged: dict[tuple, dict[str, Any]] = {}
    seen: set[int] = set()
    for single in singles:
        params = [p for p in single['params'] if id(p) not in seen]
        seen.update(map(id, params))
        settings = {k: v for k, v in single.items() if k != 'params'}
        key = tuple(sorted(settings.items()))
        merged.setdefault(key, dict(settings, params=[]))['params'] += params
    return list(merged.values())


def _fused_option(config: dict[str, Any], groups: list[dict[str, Any]]) -> dict:
    """Return ``fused=True`` if an optimizer can do so for all of its parameters."""
    arguments = inspect.signature(OPTIMIZERS.get(config['type'])).parameters
    ways = {'fused', 'foreach', 'capturable', 'differentiable'}
    params = [p for group in groups for p in group['params']]
    fits = all(
        p.is_floating_point() and p.device.type in ('cpu', 'cuda') for p in params
    )
    if 'fused' in arguments and fits and not ways & config.keys():
        return dict(fused=True)
    return {}

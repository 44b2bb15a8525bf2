"""The options of a training step, and what each changes in a config."""

import inspect
from copy import deepcopy
from dataclasses import replace
from typing import Any

from hplreid.registry import BACKBONES

from ..loops import Stage

_TOWERS = ('image_encoder', 'text_encoder', 'prompt_encoder')
_OF_TOWERS = dict(
    compile='compiled', checkpointing='checkpoint_blocks', channels_last='channels_last'
)
PARTS = 4
"""Into how many parts a batch is split, by accumulation and by sub-batches."""

PLAIN = 'plain'
OPTIONS = ('fp32', 'tf32', 'bf16', *_OF_TOWERS, 'accumulation', 'sub_batches')
"""Names of options, beside ``'plain'``: the config as it is."""


def apply_option(
    option: str, model: dict[str, Any], stage: Stage, batch_size: int
) -> tuple[dict[str, Any], Stage] | str:
    """Return the configs of a model and a stage with an option.

    Args:
        option: ``'plain'`` or one of ``OPTIONS``. ``'accumulation'`` takes four batches
            of a quarter for one update, ``'sub_batches'`` four sub-batches under losses
            of the whole batch (``micro_batch_size``).
        model: Config of the model.
        stage: The stage.
        batch_size: Items of a batch.

    Returns:
        Changed copies; or, in words, why the option is none of this config's.

    Example:
        >>> stage = Stage('align', 1, ('image_encoder',), dict(precision='bf16'))
        >>> _, changed = apply_option('fp32', {}, stage, 64)
        >>> changed.optim_wrapper
        {'precision': 'fp32'}
        >>> apply_option('channels_last', {}, stage, 64)
        'no tower has channels_last'
    """
    model, optim = deepcopy(model), deepcopy(stage.optim_wrapper)
    if option in ('fp32', 'tf32', 'bf16'):
        optim['precision'] = 'bf16' if option == 'bf16' else 'fp32'
    elif option == 'accumulation':
        optim['accumulative_counts'] = PARTS
    elif option in _OF_TOWERS:
        argument = _OF_TOWERS[option]
        towers = [name for name in _TOWERS if _takes(model.get(name), argument)]
        if not towers:
            return f'no tower has {argument}'
        for name in towers:
            model[name][argument] = True
    stage = replace(stage, optim_wrapper=optim)
    if option == 'sub_batches':
        stage = replace(stage, micro_batch_size=-(-batch_size // PARTS))
    return model, stage


def _takes(tower: Any, argument: str) -> bool:  # noqa: ANN401
    """Return whether the class of a tower's config has an argument."""
    if not isinstance(tower, dict):
        return False
    cls = BACKBONES.get(tower['type'])
    return cls is not None and argument in inspect.signature(cls).parameters

"""Find, before data are made, a stage that can't be trained in sub-batches."""

from copy import deepcopy

from mmengine.config import Config
from mmengine.registry import DefaultScope

from hplreid.registry import MODELS

from ..config.errors import building
from ..config.resolve import forget_pretrained
from ..random_state import preserved_rng
from .cached_step import find_sub_batch_problem


def find_sub_batch_problems(config: Config) -> list[str]:
    """Return a message for each stage whose ``micro_batch_size`` can't be obeyed.

    The model is built for it, with random weights and few identities, if a stage has a
    ``micro_batch_size``.

    Raises:
        ConfigError: The model can't be built.
    """
    stages = (config.get('train_cfg') or {}).get('stages') or {}
    sizes = {name: stage.get('micro_batch_size') for name, stage in stages.items()}
    if not any(sizes.values()):
        return []
    part = deepcopy(config.model.to_dict())
    forget_pretrained(part)
    if part.get('num_ids') is None:
        part['num_ids'] = 2
    scope = DefaultScope.overwrite_default_scope(config.get('default_scope'))
    with building('model'), preserved_rng(), scope:
        model = MODELS.build(part)
    found = {
        name: find_sub_batch_problem(model, stages[name]['trainable'])
        for name, size in sizes.items()
        if size
    }
    return [
        f'train_cfg.stages.{name}.micro_batch_size={sizes[name]}: {problem}.'
        for name, problem in found.items()
        if problem is not None
    ]

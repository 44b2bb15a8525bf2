"""Resolving a config: what a stage, a test or a model needs of it, filled in."""

import inspect
from copy import deepcopy

from mmengine.config import Config

from hplreid.registry import DATASETS, MODELS

_TRAIN_KEYS = (
    'train_cfg',
    'train_dataloader',
    'optim_wrapper',
    'param_scheduler',
    'val_cfg',
    'val_dataloader',
    'val_evaluator',
    'load_from',
    'resume',
)


def merge_config(shared: dict, own: dict | None) -> dict:
    """Return ``shared`` with ``own`` merged over it, ``_delete_=True`` respected."""
    merged = Config(dict(shared))
    # A copy: merging takes `_delete_` out of what is merged, which is used again
    merged.merge_from_dict(deepcopy(dict(own or {})))
    return merged.to_dict()


def fill_num_ids(config: Config) -> None:
    """Set ``model.num_ids`` to the number of training identities, unless it is set.

    The annotations of the training set are read for it. The number stands in the config
    that the run leaves in its work folder.
    """
    model = config.model
    accepted = inspect.signature(MODELS.get(model['type'])).parameters
    if 'num_ids' not in accepted or model.get('num_ids') is not None:
        return
    loader = config.train_dataloader.to_dict()
    stages = config.train_cfg.get('stages')
    if stages:
        first = next(iter(stages.values()))
        loader = merge_config(loader, first.get('train_dataloader'))
    dataset = DATASETS.build(loader['dataset'])
    model['num_ids'] = int(dataset.metainfo['num_ids'])


def inference_config(config: Config) -> Config:
    """Return what testing needs of a config: no training, no pre-trained weights."""
    needed = deepcopy(config)
    for key in _TRAIN_KEYS:
        needed.pop(key, None)
    needed.model.pop('num_ids', None)  # with it go heads and prompts
    forget_pretrained(needed.model)  # the checkpoint has all weights
    return needed


def forget_pretrained(part: dict) -> None:
    """Make a model's config one of random weights: nothing is read from a file."""
    for key, value in part.items():
        if key in ('pretrained', 'init_cfg'):  # ours, and mmpretrain's
            part[key] = None
        elif isinstance(value, dict):
            forget_pretrained(value)

"""Resolve a config: merge its parts, and derive the one that a test needs."""

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
    """Return ``shared`` with ``own`` merged over it.

    As in MMEngine's config files, a dict with ``_delete_=True`` replaces the shared one
    instead of being merged into it. Neither argument is changed.

    Example:
        >>> shared = dict(batch_size=64, sampler=dict(type='IdentitySampler', seed=1))
        >>> merge_config(shared, dict(sampler=dict(type='ItemSampler')))['sampler']
        {'type': 'ItemSampler', 'seed': 1}
        >>> merge_config(shared, dict(sampler=dict(type='ItemSampler', _delete_=True)))
        {'batch_size': 64, 'sampler': {'type': 'ItemSampler'}}
    """
    merged = Config(dict(shared))
    # A copy: merging takes `_delete_` out of what is merged, which is used again
    merged.merge_from_dict(deepcopy(dict(own or {})))
    return merged.to_dict()


def fill_num_ids(config: Config) -> None:
    """Set ``model.num_ids`` to the number of training identities.

    A number that is set stays, and a model without the argument gets none. The
    annotations of the training set are read to count its identities. The config that
    the run saves in its work folder has the number.

    Example:
        >>> config = Config(dict(model=dict(type='DualEncoder', num_ids=11003)))
        >>> fill_num_ids(config)
        >>> config.model.num_ids
        11003
    """
    model = config.model
    accepted = inspect.signature(MODELS.get(model['type'])).parameters
    if 'num_ids' not in accepted or model.get('num_ids') is not None:
        return
    loader = config.train_dataloader.to_dict()
    stages = config.train_cfg.get('stages')
    if stages:
        first_stage = next(iter(stages.values()))
        loader = merge_config(loader, first_stage.get('train_dataloader'))
    dataset = DATASETS.build(loader['dataset'])
    model['num_ids'] = int(dataset.metainfo['num_ids'])


def inference_config(config: Config) -> Config:
    """Return a copy without training and without pre-trained weights.

    The model that it describes has no heads and no prompts, and takes all its weights
    from the checkpoint that is tested.

    Example:
        >>> model = dict(type='DualEncoder', num_ids=4, pretrained='openai')
        >>> inference_config(Config(dict(model=model, resume=True))).to_dict()
        {'model': {'type': 'DualEncoder', 'pretrained': None}}
    """
    inference = deepcopy(config)
    for key in _TRAIN_KEYS:
        inference.pop(key, None)
    inference.model.pop('num_ids', None)  # with it go heads and prompts
    forget_pretrained(inference.model)  # the checkpoint has all weights
    return inference


def forget_pretrained(part: dict) -> None:
    """Change the config of a model, in place, to one with random weights.

    Example:
        >>> model = dict(image_encoder=dict(arch='ViT-B-16', pretrained='openai'))
        >>> forget_pretrained(model)
        >>> model
        {'image_encoder': {'arch': 'ViT-B-16', 'pretrained': None}}
    """
    for key, value in part.items():
        if key in ('pretrained', 'init_cfg'):  # ours, and mmpretrain's
            part[key] = None
        elif isinstance(value, dict):
            forget_pretrained(value)

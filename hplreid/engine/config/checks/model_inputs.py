"""Check that pipelines and samplers give a model what it is made for."""

import inspect
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import torch
from mmengine.config import Config

from hplreid.datasets.benchmarks import MSMT17, Market1501
from hplreid.models.backbones.foreign_tower import encode_blank
from hplreid.models.necks.base_neck import names_read
from hplreid.models.part import PartError, build_part, is_foreign
from hplreid.registry import BACKBONES, DATASETS, HEADS
from hplreid.structures.feature_bundle import CAPTIONED, IMAGE_ONLY

from ..named_pipelines import transform_name
from ..resolve import forget_pretrained, merge_config

_MASKED = ('masked_tokens', 'mask_labels')

Size = tuple[int, int]
"""Height and width in pixels."""


def find_input_problems(config: Config) -> list[str]:
    """Return a message for each thing that a model needs and its data won't give.

    Images must be of the size that the image tower is made for: its ``img_size``, or
    for a tower of another code base one that it doesn't fail on. Captions must be
    masked where the model reads masked ones. Heads must read rows that batches have.

    Example:
        >>> tower = dict(type='CLIPImageEncoder', arch='ViT-B-16', img_size=(384, 128))
        >>> resize = dict(type='ResizeImage', size=(256, 128))
        >>> find_input_problems(Config(dict(
        ...     model=dict(type='ImageReID', image_encoder=tower),
        ...     train_dataloader=dict(dataset=dict(pipeline=[resize])))))
        ['model.image_encoder.img_size is 384x128, but train_dataloader makes images...]
    """
    model = config.get('model') or {}
    tower = model.get('image_encoder')
    problems: list[str] = []
    if not isinstance(tower, dict) or 'type' not in tower:
        return problems
    sizes: dict[Size, str] = {}
    for place, loader in _loaders(config):
        for size in _image_sizes(loader):
            sizes.setdefault(size, place)
    if is_foreign(tower):
        problems += _find_failing_sizes(deepcopy(tower), sizes)
    else:
        problems += _find_other_sizes(tower, sizes)
    for stage, loader in _stages(config):
        problems += _find_unmasked(model, stage, loader)
        problems += _find_missing_rows(model, stage, loader)
    return list(dict.fromkeys(problems))


def _find_other_sizes(tower: Any, sizes: dict[Size, str]) -> list[str]:  # noqa: ANN401
    """Return a message for each size of images that isn't the tower's."""
    try:
        cls = BACKBONES.get(tower['type'])
    except KeyError:
        return []  # reported with all unknown types
    option = inspect.signature(cls).parameters.get('img_size')
    if option is None:
        return []
    own = tower.get('img_size', option.default)
    if isinstance(own, int):
        own = (own, own)
    if not isinstance(own, (list, tuple)) or len(own) != 2:
        return []  # the tower itself says what it expects
    return [
        f'model.image_encoder.img_size is {_show(own)}, but {place} makes images of '
        f'{_show(size)} (height x width; ResizeImage in its pipeline). Set one to the '
        f'other: model.image_encoder.img_size={size} say.'
        for size, place in sizes.items()
        if size != tuple(own)
    ]


def _find_failing_sizes(tower: dict, sizes: dict[Size, str]) -> list[str]:
    """Return a message for each size of images that a foreign tower fails on."""
    if not sizes:
        return []
    forget_pretrained(tower)
    try:
        with torch.random.fork_rng(devices=[]):
            built = build_part(BACKBONES, tower, 'model.image_encoder')
    except PartError as error:
        return [str(error)]
    problems = []
    for size, place in sizes.items():
        try:
            encode_blank(built, size)
        except Exception as error:
            problems.append(
                f'model.image_encoder: {tower["type"]} fails on images of '
                f'{_show(size)} (height x width), which {place} makes: '
                f'{str(error).rstrip(".")} ({type(error).__name__}). Set the options '
                f'that fit that size, `img_size={size}` or a smaller window say.'
            )
    return problems


def _find_unmasked(model: Any, stage: str, loader: dict) -> list[str]:  # noqa: ANN401
    """Return a message if a stage reads masked captions and its pipeline masks none."""
    necks = (model.get('necks') or {}).values()
    reads = {name for neck in necks for name in names_read(neck)}
    asked = [f"a neck reads '{name}'" for name in _MASKED if name in reads]
    if model.get('train_captions') == 'masked':
        asked.append("train_captions='masked'")
    pipelines = list(_pipelines(loader))
    steps = {transform_name(step) for pipeline in pipelines for step in pipeline}
    if not asked or 'MaskCaption' in steps or 'TokenizeCaption' not in steps:
        return []
    return [
        f'model: {asked[0]}, but no caption is masked in stage {stage!r}: put '
        "dict(type='MaskCaption', prob=0.15) behind TokenizeCaption in its pipeline."
    ]


def _find_missing_rows(model: Any, stage: str, loader: dict) -> list[str]:  # noqa: ANN401
    """Return a message for each head that reads rows which no batch will have."""
    missing, what = _missing_rows(loader)
    if missing is None:
        return []
    problems = []
    heads = (model.get('heads') or {}).get(stage) or []
    for index, head in enumerate(heads):
        try:
            option = inspect.signature(HEADS.get(head['type'])).parameters.get('group')
        except KeyError:
            continue  # reported with all unknown types
        if option is not None and head.get('group', option.default) == missing:
            problems.append(
                f'model.heads.{stage}.{index}: {head["type"]} reads the rows '
                f"'{missing}': {what}. Set its `group` to rows that there are, or "
                'train on other data.'
            )
    return problems


def _missing_rows(loader: dict) -> tuple[str | None, str]:
    """Return the group of rows that a dataloader's batches lack, and why.

    None where batches have all, or where only the annotations could tell.
    """
    if transform_name(loader.get('sampler') or {}) == 'CaptionSampler':
        return IMAGE_ONLY, 'CaptionSampler takes images with captions alone'
    name = transform_name(loader.get('dataset') or {})
    try:
        cls = DATASETS.get(name) if isinstance(name, str) else None
    except KeyError:
        return None, ''  # reported with all unknown types
    if isinstance(cls, type) and issubclass(cls, (Market1501, MSMT17)):
        return CAPTIONED, f'images of {name} have no captions'
    return None, ''


def _loaders(config: Config) -> Iterator[tuple[str, dict]]:
    """Yield place and config of each dataloader, of stages' with what they set."""
    for stage, loader in _stages(config):
        own = 'train_dataloader'
        yield (f'{own} of stage {stage!r}' if stage else own), loader
    for mode in ('val', 'test'):
        loaders = config.get(f'{mode}_dataloader') or {}
        many = loaders.items() if 'dataset' not in loaders else [('', loaders)]
        for name, loader in many:
            if isinstance(loader, dict):
                place = f'{mode}_dataloader'
                yield (f'{place}.{name}' if name else place), loader


def _stages(config: Config) -> Iterator[tuple[str, dict]]:
    """Yield name and dataloader of each training stage; one of no name without any."""
    loader = config.get('train_dataloader')
    if not loader:
        return
    stages = (config.get('train_cfg') or {}).get('stages') or {}
    if not isinstance(stages, dict) or not stages:
        yield '', loader.to_dict()
        return
    for name, stage in stages.items():
        own = stage.get('train_dataloader') if isinstance(stage, dict) else None
        yield name, merge_config(loader.to_dict(), own)


def _pipelines(value: Any) -> Iterator[list]:  # noqa: ANN401
    """Yield every list of transforms in a dataloader."""
    if isinstance(value, dict):
        for key, child in value.items():
            if key == 'pipeline' and isinstance(child, list):
                yield child
            else:
                yield from _pipelines(child)
    elif isinstance(value, (list, tuple)):
        for child in value:
            yield from _pipelines(child)


def _image_sizes(loader: dict) -> Iterator[Size]:
    """Yield the sizes of images that a dataloader's pipelines make."""
    for pipeline in _pipelines(loader):
        sizes = [
            step.get('size')
            for step in pipeline
            if transform_name(step) == 'ResizeImage'
        ]
        if sizes and isinstance(sizes[-1], (list, tuple)) and len(sizes[-1]) == 2:
            yield sizes[-1][0], sizes[-1][1]


def _show(size: Any) -> str:  # noqa: ANN401
    return 'x'.join(str(side) for side in size)

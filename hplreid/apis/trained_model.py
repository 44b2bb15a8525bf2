"""A trained model, ready to encode: of a file alone, a config, or a name."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch import nn

from hplreid.engine.config import building, inference_config, read_config
from hplreid.engine.config.errors import suggest
from hplreid.registry import ALL, MODELS, SCOPE
from hplreid.utils.checkpoints.checkpoint import CheckpointError, read_checkpoint
from hplreid.utils.checkpoints.load_weights import load_inference_weights
from hplreid.utils.checkpoints.recorded_model import recorded_config
from hplreid.utils.log import log
from hplreid.utils.user_error import UserError

from .model_names import ModelNameError, list_models, read_metafiles

Model: TypeAlias = str | Path | Config | Mapping[str, Any]
"""A checkpoint or published file, a config file, a config, or a name."""

PRETRAINED = 'pretrained'
"""In the place of a file: the weights that the training of a config begins with."""
_WEIGHTS = ('.pth', '.pt', '.safetensors')
_CONFIGS = ('.py', '.json', '.yaml', '.yml')
# What timm would look for on the network, or in a folder
_ADDRESS = re.compile(r'(hf[-_]hub|local-dir|https?)[:/]')


class ModelError(UserError, ValueError):
    """A model can't be had as it was asked for."""


@dataclass(frozen=True)
class TrainedModel:
    """A model with its weights, and what is known of them.

    Attributes:
        model: In evaluation mode, on the CPU.
        config: Its config, without what only training needs.
        meta: What its file says besides; empty for :data:`PRETRAINED`.
        source: The file of the weights, or :data:`PRETRAINED`.
    """

    model: nn.Module
    config: Config
    meta: dict[str, Any]
    source: str


def get_model(model: Model, weights: str | Path | None = None) -> nn.Module:
    """Return a model with its weights, in evaluation mode, on the CPU.

    It has what inference needs: no heads, no prompts that only training reads.

    Args:
        model: A checkpoint or published file alone, which has its config in it; or a
            config file, a config, or a name of :func:`.list_models`, with ``weights``.
        weights: File of the weights; ``'pretrained'`` for those that the training of
            the config begins with, where these are all the model has.

    Raises:
        ModelError: There are no weights, or they leave parts of the model random.
        CheckpointError: The file can't be read, or doesn't fit.
        ConfigError: The config is wrong.

    Example:
        >>> model = get_model('clip_tiny_synthpeds-t2i_sdm', weights='pretrained')
        >>> type(model).__name__, model.training
        ('DualEncoder', False)
    """
    return load_trained_model(model, weights).model


def load_trained_model(model: Model, weights: str | Path | None = None) -> TrainedModel:
    """Load a model as :func:`get_model` does, with all that is known of it."""
    if _is_weights(model):
        if weights is not None:
            raise ModelError(
                f"model='{model}' is a file of weights already, and weights='{weights}'"
                ': give a config as model, or one file alone.'
            )
        return _load_file(Path(str(model)).expanduser())
    config, published = _find_config(model)
    weights = weights or published
    if weights is None:
        raise ModelError(
            f'No weights of {_name(model)} are published. Train it, and give the file: '
            "weights='work_dirs/.../final.safetensors'; or weights='pretrained' for "
            'those that its training begins with.'
        )
    make_default_scope()
    if str(weights) == PRETRAINED:
        built = _build_pretrained(config)
        return TrainedModel(built, inference_config(config), {}, PRETRAINED)
    return _load(inference_config(config), Path(weights).expanduser())


def _is_weights(model: Model) -> bool:
    return isinstance(model, str | Path) and Path(model).suffix in _WEIGHTS


def _name(model: Model) -> str:
    return f"'{model}'" if isinstance(model, str | Path) else 'this config'


def _find_config(model: Model) -> tuple[Config, str | None]:
    """Return a config, and the file of published weights, if it has a name."""
    if isinstance(model, Config):
        return model, None
    if isinstance(model, Mapping):
        return Config(dict(model)), None
    if Path(model).suffix in _CONFIGS:
        return read_config(str(model)), None
    known = read_metafiles()
    if str(model) not in known:
        raise ModelNameError(
            f"model='{model}' is neither a file ({', '.join(_WEIGHTS + _CONFIGS)}) nor "
            f'one of the {len(known)} names of hplreid.list_models().'
            f'{suggest(model, list_models())}'
        )
    found = known[str(model)]
    return read_config(str(found.config)), found.weights


def _load_file(path: Path) -> TrainedModel:
    """Load a model whose file has its config."""
    content = read_checkpoint(path)
    recorded = recorded_config(content.get('meta') or {})
    if not recorded or not isinstance(recorded.get('model'), dict):
        raise CheckpointError(
            f"'{path}' has no config in it, so that nobody knows what it is of: give a "
            f"config, or a name of hplreid.list_models(), with weights='{path}'."
        )
    for part in ('model', 'test_dataloader', 'data_preprocessor'):
        check_names(recorded.get(part), str(path))
    make_default_scope()
    return _load(inference_config(Config(recorded)), path)


def _load(config: Config, path: Path) -> TrainedModel:
    built = build_inference_model(config)
    said = load_inference_weights(built, path, config.model)
    log(said)
    meta = read_checkpoint(path).get('meta') or {}
    return TrainedModel(built.eval(), config, meta, str(path))


def build_inference_model(config: Config) -> nn.Module:
    """Build the model of an :func:`.inference_config`, with random weights."""
    make_default_scope()
    model = config.model.to_dict()
    if config.get('data_preprocessor') is not None:
        model.setdefault('data_preprocessor', config.data_preprocessor)
    with building('The model'):
        return MODELS.build(model).eval()


def _build_pretrained(config: Config) -> nn.Module:
    """Build a model with the weights that training begins with, all of them.

    Raises:
        ModelError: Some of its weights are random, however the training begins.
    """
    model = {**config.model.to_dict(), 'num_ids': None}
    model = {k: v for k, v in model.items() if v is not None}
    built = []
    for seed in (0, 1):  # what chance decides differs between the two
        with torch.random.fork_rng(), building('The model'):
            torch.manual_seed(seed)
            built.append(MODELS.build(dict(model)).eval())
    first, second = (b.state_dict() for b in built)
    differ = [n for n, v in first.items() if not torch.equal(v, second[n])]
    if differ:
        raise ModelError(
            f"weights='{PRETRAINED}': {len(differ)} of {len(first)} weights are random "
            f'before training, {differ[0]} among them, so that features would mean '
            'nothing. Give a file of trained weights.'
        )
    return built[0]


def check_names(part: Any, path: str) -> None:  # noqa: ANN401
    """Check that the config in a file names nothing but registered components.

    MMEngine would import, and call, whatever else a ``type`` names.

    Args:
        part: Some of the config.
        path: The file, for the message.

    Raises:
        CheckpointError: It names something else, or an address.

    Example:
        >>> check_names(dict(type='HPL', necks=dict(bn=dict(type='BNNeck'))), 'a.pth')
        >>> check_names(dict(type='os.system', command='ls'), 'a.pth')
        Traceback (most recent call last):
        ...
        hplreid...CheckpointError: 'a.pth' names 'os.system', which is no component ...
    """
    for key, value in _strings(part):
        if key == 'type' and not _is_registered(value):
            raise CheckpointError(
                f"'{path}' names '{value}', which is no component that is registered "
                'here. If it is one of yours, import its module first.'
            )
        if key != 'type' and _ADDRESS.match(value):
            raise CheckpointError(
                f"'{path}' has the address {key}='{value}': a file may not say where "
                'to load from.'
            )


def _strings(part: Any, key: str = '') -> Iterator[tuple[str, str]]:  # noqa: ANN401
    if isinstance(part, str):
        yield key, part
    elif isinstance(part, Mapping):
        for name, value in part.items():
            yield from _strings(value, str(name))
    elif isinstance(part, list | tuple):
        for value in part:
            yield from _strings(value, key)


def _is_registered(name: str) -> bool:
    scope, _, last = name.rpartition('.')
    if scope == 'mmpretrain':
        from mmpretrain.registry import MODELS as OTHERS
        from mmpretrain.utils import register_all_modules

        register_all_modules(init_default_scope=False)
        return last in OTHERS.module_dict
    for registry in ALL:
        registry.import_from_location()
    known = any(
        last in r.module_dict or (r.parent is not None and last in r.parent.module_dict)
        for r in ALL
    )
    return scope in ('', SCOPE) and (known or last in _FUNCTIONS)


_FUNCTIONS = ('reid_collate', 'pseudo_collate', 'default_collate')


def make_default_scope() -> None:
    """Let parts that a config names without a scope be ours."""
    current = DefaultScope.get_current_instance()
    if current is None or current.scope_name != SCOPE:
        DefaultScope.get_instance('hplreid-inference', scope_name=SCOPE)

"""The model that a checkpoint is of: method, towers and heads, from its config."""

import ast
import inspect
from collections.abc import Mapping
from typing import Any

from hplreid.registry import BACKBONES, MODELS, SCOPE

TOWERS = ('image_encoder', 'text_encoder')
# What else a feature depends on that is compared
_SETTINGS = (*TOWERS, 'necks', 'i2i_feature', 't2i_feature', 'data_preprocessor')
# Arguments of towers that their features don't depend on, once weights are loaded;
# for another image size weights are resized, which is said elsewhere
_IRRELEVANT = (
    *('type', 'arch', 'pretrained', 'pretrained_grid', 'init_cfg', 'img_size'),
    *('checkpoint_blocks', 'compiled', 'channels_last', 'drop_path'),
)


def recorded_model(meta: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the model's config in the ``meta`` of a checkpoint.

    Checkpoints have the whole config of their run as Python source. It isn't executed:
    only literals and calls of ``dict`` are understood, all that such a source has.

    Returns:
        The config, None for a file that doesn't say.

    Example:
        >>> recorded_model({'cfg': "model = dict(type='ImageReID', num_ids=4)"})
        {'type': 'ImageReID', 'num_ids': 4}
    """
    config = recorded_config(meta)
    model = config.get('model') if config else None
    return model if isinstance(model, dict) else None


def recorded_config(meta: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the whole config in the ``meta`` of a checkpoint, as plain values.

    See :func:`recorded_model`; nothing is executed.

    Example:
        >>> recorded_config({'cfg': "model = dict(type='HPL'); seed = 1"})
        {'model': {'type': 'HPL'}, 'seed': 1}
    """
    source = meta.get('cfg')
    if not isinstance(source, str):
        return None
    try:
        return {
            ast.unparse(node.targets[0]): _value(node.value)
            for node in ast.parse(source).body
            if isinstance(node, ast.Assign)
        }
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None  # not the source of a config: the file doesn't say


def _value(node: ast.expr) -> Any:  # noqa: ANN401
    """Return what a literal, or a call of ``dict``, stands for.

    Raises:
        ValueError: It is something else.
    """
    if isinstance(node, ast.Call) and ast.unparse(node.func) == 'dict':
        first = _value(node.args[0]) if node.args else {}
        return {**first, **{str(k.arg): _value(k.value) for k in node.keywords}}
    if isinstance(node, ast.Dict):
        keys = [_value(key) for key in node.keys if key is not None]
        return dict(zip(keys, map(_value, node.values), strict=True))
    if isinstance(node, ast.List | ast.Tuple):
        return [*map(_value, node.elts)]
    return ast.literal_eval(node)


def describe_model(model: Mapping[str, Any]) -> str:
    """Describe a model's config by its method, towers and heads.

    Example:
        >>> tower = dict(type='CLIPImageEncoder', arch='ViT-B-16')
        >>> heads = dict(align=[dict(type='IDHead')])
        >>> describe_model(dict(type='ImageReID', image_encoder=tower, heads=heads))
        "ImageReID (image_encoder: CLIPImageEncoder 'ViT-B-16'; heads: IDHead)"
    """
    parts = [
        f'{key}: {_kind(model[key])}'
        for key in TOWERS
        if isinstance(model.get(key), Mapping)
    ]
    stages = model.get('heads')
    if isinstance(stages, Mapping):
        heads = [_kind(h) for s in stages.values() for h in s or () if 'type' in h]
        parts += [f'heads: {", ".join(dict.fromkeys(heads))}'] if heads else []
    listed = f' ({"; ".join(parts)})' if parts else ''
    return f'{_kind(model)}{listed}'


def is_same_model(trained: Mapping[str, Any], model: Mapping[str, Any]) -> bool:
    """Return whether two configs have one method, with towers of one architecture.

    Towers that one of them doesn't have aren't compared: there names of weights tell.
    """
    both = [
        key
        for key in TOWERS
        if isinstance(trained.get(key), Mapping) and isinstance(model.get(key), Mapping)
    ]
    return _kind(trained) == _kind(model) and all(
        _kind(trained[key]) == _kind(model[key]) for key in both
    )


def setting_differences(
    trained: Mapping[str, Any], model: Mapping[str, Any]
) -> list[str]:
    """Return the settings on which features depend that differ between two configs.

    Weights fit nevertheless: a stride, a pooling, mean and deviation of pixels.

    Example:
        >>> setting_differences(dict(i2i_feature='v'), dict(i2i_feature='u'))
        ["i2i_feature: 'v' in the file, 'u' in the config"]
    """
    old, new = _flat_settings(trained), _flat_settings(model)
    return [
        f'{key}: {old.get(key)!r} in the file, {new.get(key)!r} in the config'
        for key in dict.fromkeys([*old, *new])
        if old.get(key) != new.get(key)
    ]


def with_defaults(tower: Mapping[str, Any]) -> dict[str, Any]:
    """Return the config of a tower, or of a method, with the defaults of its class."""
    name = tower.get('type')
    for registry in (BACKBONES, MODELS):
        cls = registry.module_dict.get(str(name).removeprefix(f'{SCOPE}.'))
        if cls is not None:
            arguments = inspect.signature(cls).parameters.values()
            given = {a.name: a.default for a in arguments if a.default is not a.empty}
            return {**given, **tower}
    return dict(tower)


def _flat_settings(model: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that features depend on by their place, ``necks.bn.type``."""
    flat: dict[str, Any] = {}

    def add(place: str, value: Any) -> None:  # noqa: ANN401
        if not isinstance(value, Mapping):
            flat[place] = [*value] if isinstance(value, tuple) else value
            return
        for key, child in value.items():
            add(f'{place}.{key}', child)

    whole = with_defaults(model)
    for key in _SETTINGS:
        value = whole.get(key)
        if key in TOWERS and isinstance(value, Mapping):
            arguments = with_defaults(value).items()
            value = {k: v for k, v in arguments if k not in _IRRELEVANT}
        if value is not None:
            add(key, value)
    return flat


def _kind(config: Mapping[str, Any]) -> str:
    """Return the name of a component, with the architecture of a tower."""
    name = str(config.get('type')).removeprefix(f'{SCOPE}.')
    arch = config.get('arch')
    return f"{name} '{arch}'" if isinstance(arch, str) else name

"""Check a config before anything is built, and report all its problems at once."""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mmengine.runner
from mmengine.config import Config

from hplreid.registry import SCOPE

from ..data_parallel import find_parallel_problems
from ..load_from import find_load_from_problems
from .checks.conflicts import find_conflicts
from .checks.model_inputs import find_input_problems
from .errors import BUILD_ERRORS, ConfigError, explain, raise_problems
from .prepare import PREPARERS
from .schema import (
    explain_unknown,
    find_class,
    find_setting_problems,
    find_trial_problems,
)

__all__ = [
    'ConfigError',
    'check_config',
    'check_settings',
    'check_types',
    'find_problems',
    'find_type_problems',
    'raise_problems',
]

# Keys whose dict has a `type` that is an option, not the name of a component
_NOT_COMPONENTS = {'clip_grad'}
# Keys that a run builds. Other keys at the top of a config (`i2i`, `train_pipeline`)
# are names for a part of these, which may have been overridden since.
_BUILT = {*inspect.signature(mmengine.runner.Runner).parameters, 'data_preparers'}

Component = tuple[str, dict[str, Any]]
"""The place of a dict with a ``type`` in its config, and the dict."""


def check_types(config: Config) -> None:
    """Check that every ``type`` of a config is registered.

    Raises:
        ConfigError: At least one is not; the message lists them.

    Example:
        >>> check_types(Config(dict(model=dict(type='DualEncoder'))))
        >>> check_types(Config(dict(model=dict(type='DualEncodr'))))
        Traceback (most recent call last):
        ...
        hplreid.engine.config.errors.ConfigError: The config cannot run, 1 problem:
          1. model: 'DualEncodr' is not ... Did you mean 'DualEncoder'? ...
    """
    raise_problems(config, find_type_problems(config))


def check_settings(config: Config) -> None:
    """Check all that a config says, before data are made and read.

    Types are registered; every setting is one that something takes and has a fitting
    value; small parts can be built; and settings don't contradict each other.

    Raises:
        ConfigError: Something is wrong; the message lists all of it.

    Example:
        >>> check_settings(Config(dict(randomness=dict(seeds=1))))
        Traceback (most recent call last):
        ...
        hplreid.engine.config.errors.ConfigError: The config cannot run, 1 problem:
          1. randomness.seeds: not a setting. Did you mean 'seed'? ...
    """
    problems = [*find_type_problems(config), *find_setting_problems(config)]
    raise_problems(config, problems)  # what follows takes them for granted
    problems = [*find_loop_problems(config), *find_conflicts(config)]
    raise_problems(config, problems or find_trial_problems(config))


def find_loop_problems(config: Config) -> list[str]:
    """Return what the training loop says of its stages."""
    train_cfg = config.get('train_cfg') or {}
    cls = find_class(train_cfg.get('type'))
    if not hasattr(cls, 'find_problems'):
        return []
    arguments = {k: v for k, v in config.to_dict()['train_cfg'].items() if k != 'type'}
    return _find_class_problems('train_cfg', cls, arguments)


def check_config(config: Config) -> None:
    """Check everything that can be checked without building anything.

    Raises:
        ConfigError: :func:`find_problems` found some; the message lists them.

    Example:
        >>> check_config(Config(dict(load_from='missing.pth')))
        Traceback (most recent call last):
        ...
        hplreid.engine.config.errors.ConfigError: The config cannot run, 1 problem:
          1. load_from: checkpoint 'missing.pth' does not exist.
    """
    raise_problems(config, find_problems(config))


def find_problems(config: Config) -> list[str]:
    """Return one message for each problem that keeps a config from running.

    Unknown types and missing checkpoints are found here. Further problems come from the
    components: where a class has a class method ``find_problems``, it is called with
    the arguments in the config. Datasets report missing folders, towers missing
    weights.

    Example:
        >>> find_problems(Config(dict(model=dict(type='DualEncoder'))))
        []
    """
    problems = find_type_problems(config)
    for place, component in _built_components(config):
        cls = find_class(component['type'])
        if hasattr(cls, 'find_problems'):
            arguments = {k: v for k, v in component.items() if k != 'type'}
            problems += _find_class_problems(place, cls, arguments)
        init_cfgs = component.get('init_cfg')
        for init in init_cfgs if isinstance(init_cfgs, (list, tuple)) else [init_cfgs]:
            if isinstance(init, dict):
                place_of_init = f'{place}.init_cfg'
                problems += _find_missing_file(place_of_init, init.get('checkpoint'))
    problems += find_load_from_problems(config.get('load_from'))
    problems += find_input_problems(config)
    problems += find_parallel_problems(config)
    return list(dict.fromkeys(problems))


def find_type_problems(config: Config) -> list[str]:
    """Return a message for each ``type`` that is not registered anywhere."""
    problems = []
    for place, component in _built_components(config):
        name = component['type']
        if place.split('.')[0] == 'data_preparers':
            if not isinstance(name, str) or name not in PREPARERS:
                problems.append(
                    f"{place}: '{name}' is not a data preparer: expected one of "
                    f'{sorted(PREPARERS)}.'
                )
        elif not callable(find_class(name)):
            problems.append(f'{place}: {explain_unknown(name)}')
    return problems


def _built_components(config: Config) -> Iterator[Component]:
    """Yield every component that a run builds, with its place in the config."""
    built = {k: v for k, v in config.to_dict().items() if k in _BUILT}
    yield from _components(built)


def _components(value: Any, place: str = '') -> Iterator[Component]:  # noqa: ANN401
    """Yield every dict with a ``type``, with its place in the config."""
    if isinstance(value, dict):
        kind = value.get('type')
        if kind is not None and place.rsplit('.', 1)[-1] not in _NOT_COMPONENTS:
            yield place, value
            if isinstance(kind, str) and '.' in kind and not kind.startswith(SCOPE):
                return  # its parts are for the registries of that code base
        children: Any = value.items()
    elif isinstance(value, (list, tuple)):
        children = enumerate(value)
    else:
        return
    for key, child in children:
        yield from _components(child, f'{place}.{key}' if place else str(key))


def _find_class_problems(
    place: str,
    cls: Any,  # noqa: ANN401
    arguments: dict[str, Any],
) -> list[str]:
    """Return why a class can't be built from ``arguments``, by its own check."""
    try:
        inspect.signature(cls.find_problems).bind(**arguments)
    except TypeError as error:
        # A missing argument may be one that the parent adds (text_encoder.arch, say)
        missing = 'missing' in str(error)
        return [] if missing else [f'{place}: {cls.__name__} {error}']
    try:
        return list(cls.find_problems(**arguments))
    except BUILD_ERRORS as error:
        return [f'{place}: {explain(error)}']


def _find_missing_file(place: str, checkpoint: str | None) -> list[str]:
    """Return a message if a checkpoint is a path, not a URL, and doesn't exist."""
    if not checkpoint or '://' in checkpoint or Path(checkpoint).expanduser().is_file():
        return []
    return [f"{place}: checkpoint '{checkpoint}' does not exist."]

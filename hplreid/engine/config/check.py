"""Check a config before anything is built, and report all its problems at once."""

import difflib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mmengine.registry as root
import mmengine.runner  # fills MMEngine's registries, too
from mmengine.config import Config

from hplreid.registry import ALL, SCOPE
from hplreid.utils.user_error import UserError

from ..data_parallel import find_parallel_problems
from .prepare import PREPARERS

_ROOTS = [r for r in vars(root).values() if isinstance(r, root.Registry)]
# Keys whose dict has a `type` that is an option, not the name of a component
_NOT_COMPONENTS = {'clip_grad'}
# Keys that a run builds. Other keys at the top of a config (`i2i`, `train_pipeline`)
# are names for a part of these, which may have been overridden since.
_BUILT = {*inspect.signature(mmengine.runner.Runner).parameters, 'data_preparers'}

Component = tuple[str, dict[str, Any]]
"""The place of a dict with a ``type`` in its config, and the dict."""


class ConfigError(UserError, RuntimeError):
    """A config that can't run. The message lists every problem and what to do."""


def check_types(config: Config) -> None:
    """Check that every ``type`` of a config is registered.

    Raises:
        ConfigError: At least one is not; the message lists them.

    Example:
        >>> check_types(Config(dict(model=dict(type='DualEncoder'))))
        >>> check_types(Config(dict(model=dict(type='DualEncodr'))))
        Traceback (most recent call last):
        ...
        hplreid.engine.config.check.ConfigError: The config cannot run, 1 problem:
          1. model: 'DualEncodr' is not ... Did you mean 'DualEncoder'? ...
    """
    raise_problems(config, find_type_problems(config))


def check_config(config: Config) -> None:
    """Check everything that can be checked without building anything.

    Raises:
        ConfigError: :func:`find_problems` found some; the message lists them.

    Example:
        >>> check_config(Config(dict(load_from='missing.pth')))
        Traceback (most recent call last):
        ...
        hplreid.engine.config.check.ConfigError: The config cannot run, 1 problem:
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
        cls = _find_class(component['type'])
        if hasattr(cls, 'find_problems'):
            arguments = {k: v for k, v in component.items() if k != 'type'}
            problems += _find_class_problems(place, cls, arguments)
        init_cfgs = component.get('init_cfg')
        for init in init_cfgs if isinstance(init_cfgs, (list, tuple)) else [init_cfgs]:
            if isinstance(init, dict):
                place_of_init = f'{place}.init_cfg'
                problems += _find_missing_file(place_of_init, init.get('checkpoint'))
    problems += _find_missing_file('load_from', config.get('load_from'))
    problems += find_parallel_problems(config)
    return list(dict.fromkeys(problems))


def find_type_problems(config: Config) -> list[str]:
    """Return a message for each ``type`` that is not registered anywhere."""
    problems = []
    for place, component in _built_components(config):
        name = component['type']
        if place.split('.')[0] == 'data_preparers':
            if name not in PREPARERS:
                problems.append(
                    f"{place}: '{name}' is not a data preparer: expected one of "
                    f'{sorted(PREPARERS)}.'
                )
        elif _find_class(name) is None:
            problems.append(f'{place}: {_explain_unknown(name)}')
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


def _find_class(name: Any) -> Any:  # noqa: ANN401
    """Return the class registered as ``name`` in any registry, or None."""
    if not isinstance(name, str):
        return name  # the class itself
    scope, short = root.Registry.split_scope_key(name)
    if scope in (None, SCOPE):
        for registry in ALL:
            registry.import_from_location()
            if short in registry.module_dict:
                return registry.module_dict[short]
    for registry in _ROOTS:
        if name in registry.module_dict:
            return registry.module_dict[name]
    return None if scope in (None, SCOPE) else _find_foreign(name)


def _find_foreign(name: str) -> Any:  # noqa: ANN401
    """Return the class registered as ``name`` by another code base, or None."""
    for registry in _ROOTS:
        try:
            found = registry.get(name)
        except (RuntimeError, KeyError):  # it isn't registered there
            continue
        if found is not None:
            return found
    return None


def _explain_unknown(name: str) -> str:
    """Return a message that a name is unknown, with the closest known name."""
    for registries in (ALL, _ROOTS):
        known = {n: r for r in registries for n in r.module_dict}
        close = difflib.get_close_matches(name, known, n=1)
        if close:
            registry = known[close[0]]
            if registry in ALL:
                try:
                    registry.get(name)
                except KeyError as error:
                    return str(error.args[0])
            return f"'{name}' is not registered. Did you mean '{close[0]}'?"
    return f"'{name}' is not registered, here or in MMEngine, nor is a similar name."


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
    except (ValueError, KeyError) as error:
        return [f'{place}: {error.args[0]}']


def _find_missing_file(place: str, checkpoint: str | None) -> list[str]:
    """Return a message if a checkpoint is a path, not a URL, and doesn't exist."""
    if not checkpoint or '://' in checkpoint or Path(checkpoint).expanduser().is_file():
        return []
    return [f"{place}: checkpoint '{checkpoint}' does not exist."]


def raise_problems(config: Config, problems: list[str]) -> None:
    """Raise ConfigError with all problems of a config, if there are any."""
    if not problems:
        return
    count = '1 problem' if len(problems) == 1 else f'{len(problems)} problems'
    listed = [
        f'  {i}. ' + problem.replace('\n', '\n     ')
        for i, problem in enumerate(problems, 1)
    ]
    raise ConfigError(
        '\n'.join([f'{config.filename or "The config"} cannot run, {count}:', *listed])
    )

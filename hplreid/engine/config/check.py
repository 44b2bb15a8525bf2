"""Everything that keeps a config from running, said at once, before building it."""

import difflib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mmengine.registry as root
import mmengine.runner  # fills MMEngine's registries, too
from mmengine.config import Config

from hplreid.registry import ALL, SCOPE

from .prepare import PREPARERS

_ROOTS = [r for r in vars(root).values() if isinstance(r, root.Registry)]
# Their `type` is a word for somebody else, not the name of a component
_NOT_COMPONENTS = {'clip_grad'}
# What is built of a config. Whatever else stands at its top (`i2i`, `train_pipeline`)
# was a name for a part of these, and may have been overridden since.
_BUILT = {*inspect.signature(mmengine.runner.Runner).parameters, 'data_preparers'}

Found = tuple[str, dict[str, Any]]


class PreflightError(RuntimeError):
    """A config can't run. The message lists every reason, and what to do."""


def check_types(config: Config) -> None:
    """Check that every ``type`` of a config is known.

    Raises:
        PreflightError: See the message.
    """
    raise_if(config, find_type_problems(config))


def check_config(config: Config) -> None:
    """Check all that can be checked without building anything.

    Raises:
        PreflightError: See the message.
    """
    raise_if(config, find_problems(config))


def find_problems(config: Config) -> list[str]:
    """Return what keeps a config from running, a message each, without repetition.

    Every dict with a ``type`` whose class has a ``find_problems`` class method is shown
    to it: datasets tell of missing folders, towers of missing weights.
    """
    problems = find_type_problems(config)
    for place, component in _built_components(config):
        cls = _find_class(component['type'])
        if hasattr(cls, 'find_problems'):
            arguments = {k: v for k, v in component.items() if k != 'type'}
            problems += _ask(place, cls, arguments)
        starts = component.get('init_cfg')
        for start in starts if isinstance(starts, (list, tuple)) else [starts]:
            if isinstance(start, dict):
                problems += _find_missing(f'{place}.init_cfg', start.get('checkpoint'))
    problems += _find_missing('load_from', config.get('load_from'))
    return list(dict.fromkeys(problems))


def find_type_problems(config: Config) -> list[str]:
    """Return a message for each ``type`` that is not registered anywhere."""
    problems = []
    for place, component in _built_components(config):
        name = component['type']
        if place.split('.')[0] == 'data_preparers':
            if name not in PREPARERS:
                problems.append(
                    f"{place}: '{name}' is no data preparer: expected one of "
                    f'{sorted(PREPARERS)}.'
                )
        elif _find_class(name) is None:
            problems.append(f'{place}: {_explain_unknown(name)}')
    return problems


def _built_components(config: Config) -> Iterator[Found]:
    """Yield every component that a run builds, and where in the config it is."""
    built = {k: v for k, v in config.to_dict().items() if k in _BUILT}
    yield from _components(built)


def _components(value: Any, place: str = '') -> Iterator[Found]:  # noqa: ANN401
    """Yield every dict with a ``type``, and where in the config it is."""
    if isinstance(value, dict):
        kind = value.get('type')
        if kind is not None and place.rsplit('.', 1)[-1] not in _NOT_COMPONENTS:
            yield place, value
            if isinstance(kind, str) and '.' in kind and not kind.startswith(SCOPE):
                return  # what is below is the other code base's
        children: Any = value.items()
    elif isinstance(value, (list, tuple)):
        children = enumerate(value)
    else:
        return
    for key, child in children:
        yield from _components(child, f'{place}.{key}' if place else str(key))


def _find_class(name: Any) -> Any:  # noqa: ANN401
    """Return what is registered as ``name`` anywhere, None if nothing is."""
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
    for registry in _ROOTS:
        try:
            found = registry.get(name)
        except (RuntimeError, KeyError):  # how registries say that they don't know it
            continue
        if found is not None:
            return found
    return None


def _explain_unknown(name: str) -> str:
    """Say that a name is unknown, as the registry of the closest known name does."""
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
    return f"'{name}' is not registered, here or in MMEngine, nor is anything like it."


def _ask(
    place: str,
    cls: Any,  # noqa: ANN401
    arguments: dict[str, Any],
) -> list[str]:
    """Ask a class whether it can be built from ``arguments``."""
    try:
        inspect.signature(cls.find_problems).bind(**arguments)
    except TypeError as error:
        # What is missing may be what the parent adds (text_encoder.arch, say)
        missing = 'missing' in str(error)
        return [] if missing else [f'{place}: {cls.__name__} {error}']
    try:
        return list(cls.find_problems(**arguments))
    except (ValueError, KeyError) as error:
        return [f'{place}: {error.args[0]}']


def _find_missing(place: str, checkpoint: str | None) -> list[str]:
    """Look for a checkpoint, unless it is an address or there is none."""
    if not checkpoint or '://' in checkpoint or Path(checkpoint).expanduser().is_file():
        return []
    return [f"{place}: checkpoint '{checkpoint}' does not exist."]


def raise_if(config: Config, problems: list[str]) -> None:
    """Raise PreflightError with all ``problems`` of a config, if there are any."""
    if not problems:
        return
    count = '1 problem' if len(problems) == 1 else f'{len(problems)} problems'
    listed = [
        f'  {i}. ' + problem.replace('\n', '\n     ')
        for i, problem in enumerate(problems, 1)
    ]
    raise PreflightError(
        '\n'.join([f'{config.filename or "The config"} cannot run, {count}:', *listed])
    )

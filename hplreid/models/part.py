"""Build the parts of a model, and say in words why one can't be built."""

import inspect
from collections.abc import Mapping
from typing import Any

from mmengine.registry import Registry

from hplreid.registry import SCOPE
from hplreid.utils.user_error import UserError


class PartError(UserError, ValueError):
    """The parts of a model, as its config names them, don't fit together."""


def build_part(
    registry: Registry,
    config: Mapping[str, Any],
    place: str,
    known: Mapping[str, Any] | None = None,
) -> Any:  # noqa: ANN401
    """Build a part of a model by its config.

    Args:
        registry: Of the kind of parts that the place holds.
        config: The config, with a ``type``; it isn't changed.
        place: Where it stands, for messages: ``'image_encoder'`` say.
        known: Arguments that the model knows. Those that the config sets stay, and
            those that the class doesn't take are left out.

    Raises:
        PartError: The place holds another kind of part, an argument is missing,
            unknown or refused, or a class of another code base fails.
    """
    cls = find_part(registry, config, place)
    arguments = {k: v for k, v in config.items() if k != 'type'}
    parameters = inspect.signature(cls).parameters
    open_ended = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    for name, value in (known or {}).items():
        if name in parameters or open_ended:
            arguments.setdefault(name, value)
    name = cls.__name__
    try:
        inspect.signature(cls).bind(**arguments)
    except TypeError as error:
        taken = ', '.join(parameters)
        raise PartError(f'{place}: {name}: {error}. It takes {taken}.') from None
    try:
        return registry.build({'type': config['type'], **arguments})
    except Exception as error:
        if isinstance(error, UserError):
            raise
        if is_foreign(config) and not isinstance(error, (MemoryError, OSError)):
            raise PartError(
                f'{place}: {config["type"]} can not be built with these arguments: '
                f'{type(error).__name__}: {error}'
            ) from error
        if isinstance(error, ValueError):
            raise PartError(f'{place}: {name}: {error}') from error
        raise


def is_foreign(config: Mapping[str, Any]) -> bool:
    """Return whether a config names a class of another code base, ``mmpretrain.X``."""
    kind = config['type']
    return isinstance(kind, str) and '.' in kind and not kind.startswith(f'{SCOPE}.')


def find_part(registry: Registry, config: Mapping[str, Any], place: str) -> Any:  # noqa: ANN401
    """Return the class that a config names.

    Raises:
        PartError: It has no ``type``, or one that the registry doesn't know.
    """
    kind = config.get('type') if isinstance(config, Mapping) else None
    if kind is None:
        raise PartError(f'{place}: expected a dict with a `type`, got {config!r}.')
    if not isinstance(kind, str):
        return kind
    try:
        return registry.get(kind)
    except KeyError as error:
        raise PartError(f'{place}: {error.args[0]}') from None

"""Whether a value of a config is of the type that an argument is annotated with."""

import types
import typing
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import PurePath
from typing import Any, Literal

from torch import Tensor

_UNIONS = (typing.Union, types.UnionType)


def fits(value: Any, annotation: Any) -> bool:  # noqa: ANN401
    """Return whether a value of a config fits an annotation.

    A dict fits where an object is expected, for it may be the config of one, and so
    does a string, which may name one; a list fits where a tuple is expected, and an
    integer where a float is. Whatever can't be judged fits.

    Example:
        >>> fits(4, int), fits('four', int), fits([1, 2], tuple[int, int])
        (True, False, True)
        >>> fits(None, int | None), fits({'type': 'Adam'}, str)
        (True, False)
    """
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in _UNIONS:
        return any(fits(value, a) for a in arguments)
    if origin is Literal:
        return any(value == a and type(value) is type(a) for a in arguments)
    return _fits_kind(value, origin or annotation, arguments)


def _fits_kind(value: Any, kind: Any, arguments: tuple) -> bool:  # noqa: ANN401
    """Return whether a value fits a class, given the arguments in its brackets."""
    if kind is None or kind is type(None):
        return value is None
    if kind is Any or not isinstance(kind, type):  # type variables, strings
        return True
    if issubclass(kind, (bool, int, float, str)):
        return _fits_plain(value, kind)
    if issubclass(kind, PurePath):
        return isinstance(value, str | PurePath)
    if issubclass(kind, Mapping):
        return _fits_mapping(value, arguments)
    plain = kind.__module__ in ('builtins', 'collections.abc')
    if kind is Iterable or (plain and issubclass(kind, Collection)):
        return _fits_collection(value, kind, arguments)
    if kind is object or kind is Callable or kind is type:
        return True
    return _fits_object(value, kind)


def describe(annotation: Any) -> str:  # noqa: ANN401
    """Return an annotation as it is written in the source.

    Example:
        >>> describe(int | None), describe(tuple[int, int])
        ('int | None', 'tuple[int, int]')
    """
    if annotation is type(None):
        return 'None'
    if isinstance(annotation, type) and typing.get_origin(annotation) is None:
        return annotation.__name__
    if typing.get_origin(annotation) in _UNIONS:
        return ' | '.join(describe(a) for a in typing.get_args(annotation))
    if typing.get_origin(annotation) is Literal:
        return ' or '.join(map(repr, typing.get_args(annotation)))
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if isinstance(origin, type) and arguments:
        inside = ', '.join('...' if a is Ellipsis else describe(a) for a in arguments)
        return f'{origin.__name__}[{inside}]'
    return str(annotation).replace('typing.', '').replace('collections.abc.', '')


def _fits_plain(value: Any, kind: type) -> bool:  # noqa: ANN401
    if kind is bool or isinstance(value, bool):
        return isinstance(value, bool) and kind is bool
    if issubclass(kind, float):
        return isinstance(value, int | float)
    return isinstance(value, int if issubclass(kind, int) else str)


def _fits_mapping(value: Any, arguments: tuple) -> bool:  # noqa: ANN401
    if not isinstance(value, Mapping):
        return False
    if len(arguments) != 2:
        return True
    key, element = arguments
    return all(fits(k, key) and fits(v, element) for k, v in value.items())


def _fits_collection(value: Any, kind: type, arguments: tuple) -> bool:  # noqa: ANN401
    if not isinstance(value, list | tuple | set | frozenset):
        # A mapping is a collection, too, of its keys
        return isinstance(value, Mapping) and kind in (Collection, Iterable)
    if kind is tuple and arguments and arguments[-1] is not Ellipsis:
        return len(value) == len(arguments) and all(map(fits, value, arguments))
    return not arguments or all(fits(v, arguments[0]) for v in value)


def _fits_object(value: Any, kind: type) -> bool:  # noqa: ANN401
    if isinstance(value, kind):
        return True
    if isinstance(value, bool | int | float | list | tuple | None):
        return False
    return not issubclass(kind, Tensor)

"""Which arguments a class or a function takes, through all its base classes."""

import ast
import functools
import inspect
import textwrap
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_NAMELESS = (
    inspect.Parameter.VAR_POSITIONAL,
    inspect.Parameter.VAR_KEYWORD,
    inspect.Parameter.POSITIONAL_ONLY,
)


@dataclass(frozen=True)
class Signature:
    """What a class or a function takes by name.

    Attributes:
        annotations: The annotation of each argument; ``Any`` where it has none.
        defaults: The default values of those that have one.
        is_open: Whether it also takes names that can't be known, in ``**kwargs`` that
            are passed on to something else than a base class.
    """

    annotations: dict[str, Any]
    defaults: dict[str, Any]
    is_open: bool


@functools.cache
def read_signature(target: Callable[..., Any]) -> Signature:
    """Return what a class or a function takes by name.

    ``**kwargs`` of a class are followed to the base class that they are passed to.

    Example:
        >>> class A:
        ...     def __init__(self, size: int) -> None: ...
        >>> class B(A):
        ...     def __init__(self, depth: int = 1) -> None: ...
        >>> list(read_signature(B).annotations)
        ['depth']
    """
    if not inspect.isclass(target):
        return _own(target)
    found = []
    classes = [c for c in target.__mro__ if '__init__' in vars(c) and c is not object]
    for cls in classes:
        if cls.__module__.startswith('torch.nn.modules.module'):
            break  # nn.Module takes any arguments, and refuses them
        constructor = vars(cls)['__init__']
        own = _own(constructor)
        found.append(own)
        if not own.is_open:
            return _join(found, is_open=False)
        if not _passes_on(constructor):
            return _join(found, is_open=True)
    return _join(found, is_open=False)


def _own(function: Callable[..., Any]) -> Signature:
    """Return what a function itself takes; open if it has ``**kwargs``."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (ValueError, TypeError):  # written in C
        return Signature({}, {}, is_open=True)
    named = [p for p in parameters if p.kind not in _NAMELESS and p.name != 'self']
    return Signature(
        {p.name: _read_annotation(p, function) for p in named},
        {p.name: p.default for p in named if p.default is not p.empty},
        is_open=any(p.kind is p.VAR_KEYWORD for p in parameters),
    )


def _read_annotation(parameter: inspect.Parameter, function: Callable[..., Any]) -> Any:  # noqa: ANN401
    """Return an annotation; ``Any`` for none, and for one that can't be evaluated.

    What has no annotation and is True or False by default is taken for a bool. Numbers
    tell less: where one is the default, a tuple may be as good.
    """
    annotation = parameter.annotation
    if annotation is inspect.Parameter.empty:
        return bool if isinstance(parameter.default, bool) else Any
    if not isinstance(annotation, str):
        return annotation
    names = getattr(inspect.unwrap(function), '__globals__', {})
    try:
        return eval(annotation, {**vars(typing), **names})
    except Exception:  # names that are imported for type checkers alone
        return Any


def _join(signatures: list[Signature], is_open: bool) -> Signature:
    """Join those of a class and its bases; the first that has an argument counts."""
    annotations: dict[str, Any] = {}
    defaults: dict[str, Any] = {}
    for signature in reversed(signatures):
        annotations.update(signature.annotations)
        defaults.update(signature.defaults)
    return Signature(annotations, defaults, is_open)


def _passes_on(init: Callable[..., Any]) -> bool:
    """Return whether an ``__init__`` passes its ``**kwargs`` to its base class alone.

    That is seen in its source, as ``super().__init__(..., **kwargs)``.
    """
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(init)))
    except (OSError, TypeError, SyntaxError):
        return False
    definition = tree.body[0]
    name = getattr(getattr(definition, 'args', None), 'kwarg', None)
    if name is None:  # it is wrapped by something else
        return False
    receivers = [
        ast.unparse(call.func)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        for keyword in call.keywords
        if keyword.arg is None and ast.unparse(keyword.value) == name.arg
    ]
    return bool(receivers) and all(r.endswith('.__init__') for r in receivers)

"""Weights with a row for each identity or camera of the training set.

A module says which of its weights those are by an attribute ``indexed_by``: from the
name of a weight, or of the module that has it, to what its rows stand for,
``'identity'`` or ``'camera'``. Shapes don't tell: two training sets may have equally
many people.
"""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from torch import nn


@runtime_checkable
class Indexed(Protocol):
    """A module that has such weights."""

    indexed_by: Mapping[str, str]


def indexed_weights(model: nn.Module) -> dict[str, str]:
    """Return the weights of a model that have a row for each identity or camera.

    Returns:
        What the rows stand for, by the name of the weight.

    Example:
        >>> class Head(nn.Module):
        ...     indexed_by = {'classifier': 'identity'}
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.classifier = nn.Linear(8, 100)
        ...         self.neck = nn.BatchNorm1d(8)
        >>> indexed_weights(nn.ModuleDict({'head': Head()}))
        {'head.classifier.weight': 'identity', 'head.classifier.bias': 'identity'}
    """
    own = list(model.state_dict())
    found: dict[str, str] = {}
    for place, module in model.named_modules():
        if not isinstance(module, Indexed):
            continue
        for name, index in module.indexed_by.items():
            start = f'{place}.{name}' if place else name
            found.update(
                {k: index for k in own if k == start or k.startswith(f'{start}.')}
            )
    return found

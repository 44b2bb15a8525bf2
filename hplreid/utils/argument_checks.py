"""Check arguments, with error messages that name the argument and its value."""

import math
from collections.abc import Collection

from torch import Tensor


def check_one_of(argument: str, value: object, options: Collection[object]) -> None:
    """Raise ValueError unless ``value`` is one of ``options``.

    Example:
        >>> check_one_of('reduction', 'mean', ('mean', 'sum'))
        >>> check_one_of('reduction', 'max', ('mean', 'sum'))
        Traceback (most recent call last):
        ...
        ValueError: reduction='max': expected one of ['mean', 'sum'].
    """
    if value not in options:
        raise ValueError(f'{argument}={value!r}: expected one of {list(options)}.')


def check_positive(argument: str, value: object) -> None:
    """Raise ValueError unless ``value`` is a finite number above 0."""
    if not _is_number(value) or not float(value) > 0:  # type: ignore[arg-type]
        raise ValueError(f'{argument}={value!r}: expected a number above 0.')


def check_not_negative(argument: str, value: object) -> None:
    """Raise ValueError unless ``value`` is a finite number from 0 up."""
    if not _is_number(value) or not float(value) >= 0:  # type: ignore[arg-type]
        raise ValueError(f'{argument}={value!r}: expected a number from 0 up.')


def check_fraction(argument: str, value: object) -> None:
    """Raise ValueError unless ``value`` is a number from 0 to below 1."""
    if not _is_number(value) or not 0 <= float(value) < 1:  # type: ignore[arg-type]
        raise ValueError(f'{argument}={value!r}: expected a number in [0, 1).')


def check_count(argument: str, value: object) -> None:
    """Raise ValueError unless ``value`` is an integer from 1 up."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f'{argument}={value!r}: expected an integer from 1 up.')


def check_divides(argument: str, value: object, channels: int) -> None:
    """Raise ValueError unless ``value`` is an integer from 1 up that divides a width.

    Example:
        >>> check_divides('num_heads', 8, 512)
        >>> check_divides('num_heads', 8, 100)
        Traceback (most recent call last):
        ...
        ValueError: num_heads=8: expected a divisor of the 100 channels.
    """
    check_count(argument, value)
    if channels % value:  # type: ignore[operator]
        raise ValueError(
            f'{argument}={value}: expected a divisor of the {channels} channels.'
        )


def check_rows(**tensors: Tensor) -> None:
    """Raise ValueError unless the tensors have equally many rows, at least one.

    A loss is a mean over rows, which no rows don't have: an error is better than a
    training on a zero.
    """
    sizes = {name: len(tensor) for name, tensor in tensors.items()}
    if len(set(sizes.values())) != 1:
        raise ValueError(f'Expected equally many rows, got {sizes}.')
    if 0 in sizes.values():
        raise ValueError(f'Expected at least one row, got {sizes}.')


def check_same_shape(ndim: int, **tensors: Tensor) -> None:
    """Raise ValueError unless the tensors have one non-empty ``ndim``-d shape."""
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    shape = next(iter(shapes.values()))
    if len(set(shapes.values())) != 1 or len(shape) != ndim or 0 in shape:
        raise ValueError(
            f'Expected tensors of one shape, {ndim}-dimensional and not empty, '
            f'got {shapes}.'
        )


def _is_number(value: object) -> bool:
    """Return whether a value is a finite int or float, and no bool."""
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    return numeric and math.isfinite(value)  # type: ignore[arg-type]

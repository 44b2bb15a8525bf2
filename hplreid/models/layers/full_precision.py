"""Full precision for losses, whatever the precision of their inputs."""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import torch
from torch import Tensor

Args = ParamSpec('Args')
Result = TypeVar('Result')


def full_precision(function: Callable[Args, Result]) -> Callable[Args, Result]:
    """Make ``function`` compute in float32, or in float64 if an argument is float64.

    Floating-point tensors among the arguments are converted, and autocast is off
    inside: it would take the products of the converted tensors in half precision
    again, and softmax over 11 k identities at tau = 0.02 doesn't survive that.
    """

    @functools.wraps(function)
    def wrapper(*args: Args.args, **kwargs: Args.kwargs) -> Result:
        floats = [
            x
            for x in (*args, *kwargs.values())
            if isinstance(x, Tensor) and x.is_floating_point()
        ]
        wide = any(x.dtype == torch.float64 for x in floats)
        dtype = torch.float64 if wide else torch.float32

        def convert(x: object) -> object:
            is_float = isinstance(x, Tensor) and x.is_floating_point()
            return cast(Tensor, x).to(dtype) if is_float else x

        device = floats[0].device.type if floats else 'cpu'
        with torch.autocast(device, enabled=False):
            return function(
                *map(convert, args),  # type: ignore[arg-type]
                **{k: convert(v) for k, v in kwargs.items()},  # type: ignore[arg-type]
            )

    return wrapper

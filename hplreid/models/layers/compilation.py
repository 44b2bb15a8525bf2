"""Compilation of modules, and whether this machine can do it."""

import random
from functools import lru_cache

import torch
from torch import nn

# Compilations of one module: for training and evaluation, with and without gradients,
# for each stage's parameters and features, for a size that changes. Above PyTorch's own
# limit of 8, the ninth would end a training.
_MOST_COMPILATIONS = 64


def compile_whole(module: nn.Module) -> None:
    """Have a module compiled when it is called, as one graph; names stay as they are.

    What can't be compiled in one graph is an error at the call.
    """
    import torch._dynamo.config as limits  # takes a second: only for who compiles

    renamed = hasattr(limits, 'recompile_limit')  # not yet in torch 2.4
    name = 'recompile_limit' if renamed else 'cache_size_limit'
    setattr(limits, name, max(getattr(limits, name), _MOST_COMPILATIONS))
    module.compile(fullgraph=True)


@lru_cache
def find_compiler_problem(device: str) -> str | None:
    """Return why ``torch.compile`` can't be used, or None; found out by trying it.

    Args:
        device: ``'cpu'`` or ``'cuda'``.
    """
    # A constant of its own, lest PyTorch finds its code in a cache of an earlier day
    constant = random.SystemRandom().random()
    try:
        torch.compile(lambda x: x.sin() + constant, fullgraph=True)(
            torch.ones(3, device=device)
        )
    except Exception as error:  # whatever a tool chain may raise
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        needs = 'g++ or clang++' if device == 'cpu' else 'Triton and a C compiler'
        return (
            f'compiled=True: torch.compile does not work on this machine for device '
            f"'{device}' ({reason}). Install {needs}, or leave `compiled` out."
        )
    return None

"""Whether this machine can compile models."""

import random
from functools import lru_cache

import torch


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

"""Seeding the global random number generators, and restoring their states."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def preserve_random_state() -> Iterator[None]:
    """Restore the random states of Python, NumPy and torch (CPU) after the block."""
    python_state, numpy_state = random.getstate(), np.random.get_state()
    torch_state = torch.random.get_rng_state()
    try:
        yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)
        torch.random.set_rng_state(torch_state)


def seed_all(seed: int) -> None:
    """Seed Python, NumPy and torch (CPU).

    The generators of accelerators are not touched: ``torch.manual_seed`` would reset
    them too, and with them the dropout of a model that trains in the same process.

    Args:
        seed: From 0 to 2**32 - 1.

    Example:
        >>> with preserve_random_state():
        ...     seed_all(0)
        ...     random.random()
        0.8444218515250481
    """
    random.seed(seed)
    np.random.seed(seed)
    torch.random.default_generator.manual_seed(seed)

"""Random numbers that depend on a seed alone, not on who draws them."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def random_state_kept() -> Iterator[None]:
    """Restore the state of Python, NumPy and torch (CPU) after the block."""
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

    The generators of accelerators are left alone: ``torch.manual_seed`` would reset
    them too, and with it the dropout of a model that trains in the same process.

    Args:
        seed: From 0 to 2**32 - 1.
    """
    random.seed(seed)
    np.random.seed(seed)
    torch.random.default_generator.manual_seed(seed)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed everything (:func:`seed_all`) inside the block; restore it after."""
    with random_state_kept():
        seed_all(seed)
        yield

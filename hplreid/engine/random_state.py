"""Save and restore the state of every random generator of a process."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from mmengine.dist import all_gather_object


def capture_rng() -> dict[str, Any]:
    """Return the state of the generators of Python, NumPy, torch and the GPU in use.

    It is made of plain values and tensors, so that a checkpoint that holds it can be
    read with ``weights_only=True``.
    """
    version, words, gauss = random.getstate()
    name, keys, position, has_gauss, cached = np.random.get_state(legacy=True)
    state = dict(
        python=(version, torch.tensor(words), gauss),
        numpy=(
            name,
            torch.tensor(np.asarray(keys, dtype=np.int64)),
            position,
            has_gauss,
            cached,
        ),
        torch=torch.get_rng_state(),
    )
    if torch.cuda.is_available():
        state['cuda'] = torch.cuda.get_rng_state()
    return state


def restore_rng(state: dict[str, Any]) -> None:
    """Set the generators to the state that :func:`capture_rng` returned."""
    version, words, gauss = state['python']
    random.setstate((version, tuple(words.tolist()), gauss))
    name, keys, *rest = state['numpy']
    np.random.set_state((name, keys.cpu().numpy().astype(np.uint32), *rest))
    torch.set_rng_state(state['torch'].cpu())
    if 'cuda' in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state['cuda'].cpu())


def gather_rng() -> list[dict[str, Any]]:
    """Return the states of all processes by rank. Every process must call it."""
    return all_gather_object(capture_rng())


@contextmanager
def preserved_rng() -> Iterator[None]:
    """Restore the generators at the end of a ``with`` block."""
    state = capture_rng()
    try:
        yield
    finally:
        restore_rng(state)

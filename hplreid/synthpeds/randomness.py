"""Random generators that depend on a seed, a purpose and numbers alone."""

from collections.abc import Mapping
from enum import IntEnum

import numpy as np


class Stream(IntEnum):
    """Purpose of a random generator; part of its seed."""

    CLUSTER = 1
    IDENTITY = 2
    IMAGE = 3
    CAPTION = 4
    SENSOR = 5
    CAMERA_ORDER = 6
    FRAME = 7


def random_stream(seed: int, purpose: Stream, *numbers: int) -> np.random.Generator:
    """Return a random generator that depends on the arguments alone.

    No generator is passed from one image to the next, so neither the order of the
    images nor the number of workers changes a pixel.

    Args:
        seed: Seed of the dataset.
        purpose: What the generator is used for.
        numbers: Identity number, image index and the like.
    """
    return np.random.Generator(np.random.PCG64([seed, int(purpose), *numbers]))


def draw_weighted(rng: np.random.Generator, weights: Mapping[str, float]) -> str:
    """Draw one key with a probability proportional to its weight."""
    share = np.array(list(weights.values()), dtype=float)
    index = np.searchsorted(np.cumsum(share / share.sum()), rng.random(), 'right')
    return list(weights)[min(int(index), len(weights) - 1)]

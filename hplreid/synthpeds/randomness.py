"""Independent random streams named by numbers."""

from collections.abc import Mapping
from enum import IntEnum

import numpy as np


class Stream(IntEnum):
    """What a stream of random numbers is for; part of its seed."""

    CLUSTER = 1
    IDENTITY = 2
    IMAGE = 3
    CAPTION = 4
    SENSOR = 5
    CAMERA_ORDER = 6
    FRAME = 7


def stream(seed: int, purpose: Stream, *numbers: int) -> np.random.Generator:
    """A generator that depends on its arguments alone.

    No generator is ever handed from one image to the next, so neither the order of
    the work nor the number of workers changes a pixel.
    """
    return np.random.Generator(np.random.PCG64([seed, int(purpose), *numbers]))


def pick(rng: np.random.Generator, weights: Mapping[str, float]) -> str:
    """One key, drawn in proportion to its weight."""
    share = np.array(list(weights.values()), dtype=float)
    index = np.searchsorted(np.cumsum(share / share.sum()), rng.random(), 'right')
    return list(weights)[min(int(index), len(weights) - 1)]

"""The nearest items of every item, without a distance matrix."""

from dataclasses import dataclass

import numpy as np

from ..k_smallest import greatest, nearest
from ..threads import Scratch, num_workers, parallel_map
from .joint_distances import JointDistances


@dataclass(frozen=True)
class Neighbors:
    """The k nearest of each of N items, nearest first, itself among them.

    Of equally close items the one with the lower index comes first. How a product was
    rounded changes nothing.

    Attributes:
        indices: ``(N, k)`` int32.
        greatest: Distance to the farthest of all N items, ``(N,)``.
    """

    indices: np.ndarray
    greatest: np.ndarray


def find_neighbors(distances: JointDistances, k: int, block_size: int) -> Neighbors:
    """Find the k nearest items of each, all if there are fewer.

    Args:
        distances: Among N items.
        k: At least 1.
        block_size: Items at a time; memory is ``block_size * N`` distances.
    """
    total = len(distances)
    k = min(k, total)
    found = Neighbors(
        indices=np.empty((total, k), np.int32),
        greatest=np.empty(total, distances.dtype),
    )
    workers = num_workers(distances.device, total**2)
    height = max(1, block_size // workers)
    scratch = Scratch()
    on_cpu = distances.device.type == 'cpu'

    def search(start: int) -> None:
        stop = min(start + height, total)
        shape = stop - start, total
        out = scratch.take(shape, distances.dtype) if on_cpu else None
        block = distances.rounded(start, stop, out)
        exact = (
            distances.margins(start, stop),
            lambda rows, columns: distances.squares.pairs(start + rows, columns),
            lambda: distances.squares.block(start, stop),
        )
        each = slice(start, stop)
        found.indices[each] = nearest(block, k, *exact)
        found.greatest[each] = distances.raised(greatest(block, *exact))

    with parallel_map(workers) as run:
        list(run(search, range(0, total, height)))
    return found

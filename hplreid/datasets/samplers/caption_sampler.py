"""Captioned items in random order."""

import numpy as np

from hplreid.registry import DATA_SAMPLERS

from ..items import ItemDataset
from .global_batch import GlobalBatchSampler
from .streams import RandomStream


@DATA_SAMPLERS.register_module()
class CaptionSampler(GlobalBatchSampler):
    """A random permutation of the items that have a caption, each once an epoch.

    Items that don't fill a last batch wait for another epoch.

    Args:
        dataset: Data set with captions.
        seed: See :class:`GlobalBatchSampler`, also for ``rank`` and ``world_size``.
        batch_size: Items of a global batch.
        rank: This process.
        world_size: Number of processes.

    Raises:
        ValueError: There are fewer captions than a batch takes.
    """

    def __init__(
        self,
        dataset: ItemDataset,
        seed: int | None = None,
        batch_size: int = 64,
        rank: int | None = None,
        world_size: int | None = None,
    ) -> None:
        captioned = np.flatnonzero(dataset.has_caption)
        self.stream = RandomStream(captioned, batch_size, 'captioned items')
        length = self.stream.pass_length
        super().__init__([batch_size], length, seed, rank, world_size)

    def draw_epoch(self, rng: np.random.Generator) -> np.ndarray:
        """See :class:`GlobalBatchSampler`."""
        return self.stream.draw(self.batches_per_epoch, rng)

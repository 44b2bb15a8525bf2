"""Items in random order."""

import numpy as np

from hplreid.registry import DATA_SAMPLERS

from ..items import ItemDataset
from .global_batch import GlobalBatchSampler
from .streams import RandomStream


@DATA_SAMPLERS.register_module()
class ItemSampler(GlobalBatchSampler):
    """A random permutation of all items, each once an epoch.

    Items that don't fill a last batch wait for another epoch.

    Args:
        dataset: Training set.
        seed: See :class:`GlobalBatchSampler`, also for ``rank`` and ``world_size``.
        batch_size: Items of a global batch.
        rank: This process.
        world_size: Number of processes.

    Raises:
        ValueError: There are fewer items than a batch takes.
    """

    what = 'items'

    def __init__(
        self,
        dataset: ItemDataset,
        seed: int | None = None,
        batch_size: int = 64,
        rank: int | None = None,
        world_size: int | None = None,
    ) -> None:
        self.stream = RandomStream(self.choose(dataset), batch_size, self.what)
        length = self.stream.pass_length
        super().__init__([batch_size], length, seed, rank, world_size)

    def choose(self, dataset: ItemDataset) -> np.ndarray:
        """Return the positions that are drawn from."""
        return np.arange(len(dataset))

    def draw_epoch(self, rng: np.random.Generator) -> np.ndarray:
        """See :class:`GlobalBatchSampler`."""
        return self.stream.draw(self.batches_per_epoch, rng)

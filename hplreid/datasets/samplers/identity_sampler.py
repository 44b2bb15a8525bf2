"""P identities x K items."""

import numpy as np

from hplreid.registry import DATA_SAMPLERS

from ..items import ItemDataset
from .global_batch import GlobalBatchSampler
from .streams import IdentityStream


@DATA_SAMPLERS.register_module()
class IdentitySampler(GlobalBatchSampler):
    """Batches of P identities with K items each; P = ``batch_size / num_instances``.

    Args:
        dataset: Training set.
        seed: See :class:`GlobalBatchSampler`, also for ``rank`` and ``world_size``.
        batch_size: Items of a global batch.
        num_instances: K.
        balance_cameras: Whether the K of an identity come from as many of its cameras
            as they can (:func:`camera_chunks`), or by chance (:func:`random_chunks`, as
            in the published recipes).
        rank: This process.
        world_size: Number of processes.

    Raises:
        ValueError: ``batch_size`` isn't a multiple of K, or see
            :class:`IdentityStream`.
    """

    def __init__(
        self,
        dataset: ItemDataset,
        seed: int | None = None,
        batch_size: int = 64,
        num_instances: int = 4,
        balance_cameras: bool = False,
        rank: int | None = None,
        world_size: int | None = None,
    ) -> None:
        if num_instances < 1 or batch_size % num_instances:
            raise ValueError(
                f'batch_size={batch_size} is not a multiple of '
                f'num_instances={num_instances}.'
            )
        num_ids = batch_size // num_instances
        everything = np.arange(len(dataset))
        self.stream = IdentityStream(
            dataset, everything, num_ids, num_instances, balance_cameras
        )
        length = self.stream.pass_length
        super().__init__([batch_size], length, seed, rank, world_size)

    def draw_epoch(self, rng: np.random.Generator) -> np.ndarray:
        """See :class:`GlobalBatchSampler`."""
        return self.stream.draw(self.batches_per_epoch, rng)

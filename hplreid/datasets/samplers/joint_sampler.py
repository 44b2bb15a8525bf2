"""Captioned items and P x K images in one batch."""

import numpy as np

from hplreid.registry import DATA_SAMPLERS

from ..items import ItemDataset
from .global_batch import GlobalBatchSampler
from .streams import IdentityStream, RandomStream, Stream

_EPOCHS = ('t2i', 'max', 'min')


@DATA_SAMPLERS.register_module()
class JointSampler(GlobalBatchSampler):
    """Batches of captioned items followed by images without a caption, P x K.

    The shorter of the two streams goes round again, in another order.

    Args:
        dataset: A :class:`JointDataset`.
        seed: See :class:`GlobalBatchSampler`, also for ``rank`` and ``world_size``.
        num_pairs: Captioned items of a global batch.
        num_ids: Identities P among its images.
        num_instances: Images K of each.
        pairs: ``'random'`` order of captioned items, or by ``'identity'``: K of each of
            ``num_pairs / K``.
        epoch: Once through the captioned items (``'t2i'``), or through the part that
            has more (``'max'``) or fewer (``'min'``) batches.
        balance_cameras: How the K images are chosen; see :class:`IdentitySampler`.
        rank: This process.
        world_size: Number of processes.

    Raises:
        ValueError: An option isn't known, or the dataset has too little of either.
    """

    def __init__(
        self,
        dataset: ItemDataset,
        seed: int | None = None,
        num_pairs: int = 64,
        num_ids: int = 16,
        num_instances: int = 4,
        pairs: str = 'random',
        epoch: str = 't2i',
        balance_cameras: bool = False,
        rank: int | None = None,
        world_size: int | None = None,
    ) -> None:
        if epoch not in _EPOCHS:
            raise ValueError(f'epoch must be one of {_EPOCHS}, got {epoch!r}.')
        captioned = np.flatnonzero(dataset.has_caption)
        uncaptioned = np.flatnonzero(~dataset.has_caption)
        self.t2i = _pair_stream(dataset, captioned, num_pairs, num_instances, pairs)
        self.i2i = IdentityStream(
            dataset, uncaptioned, num_ids, num_instances, balance_cameras
        )
        lengths = {
            't2i': self.t2i.pass_length,
            'max': max(self.t2i.pass_length, self.i2i.pass_length),
            'min': min(self.t2i.pass_length, self.i2i.pass_length),
        }
        parts = [num_pairs, num_ids * num_instances]
        super().__init__(parts, lengths[epoch], seed, rank, world_size)

    def draw_epoch(self, rng: np.random.Generator) -> np.ndarray:
        """See :class:`GlobalBatchSampler`."""
        halves = [s.draw(self.batches_per_epoch, rng) for s in (self.t2i, self.i2i)]
        return np.concatenate(halves, axis=1)


def _pair_stream(
    dataset: ItemDataset,
    captioned: np.ndarray,
    num_pairs: int,
    num_instances: int,
    pairs: str,
) -> Stream:
    if pairs == 'random':
        return RandomStream(captioned, num_pairs, 'captioned items')
    if pairs != 'identity':
        raise ValueError(f"pairs must be 'random' or 'identity', got {pairs!r}.")
    if num_pairs % num_instances:
        raise ValueError(
            f'num_pairs={num_pairs} is not a multiple of num_instances={num_instances}.'
        )
    num_ids = num_pairs // num_instances
    return IdentityStream(dataset, captioned, num_ids, num_instances)

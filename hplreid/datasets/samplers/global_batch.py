"""The base class of training samplers: one global stream, divided among processes."""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from mmengine.dist import sync_random_seed
from torch.utils.data import Sampler

from hplreid.utils.distributed import get_rank_and_size


class GlobalBatchSampler(Sampler[tuple[int, int]]):
    """A stream of global batches, of which each process sees its share.

    An epoch is a matrix of indices, one row a global batch, and a matrix of seeds, both
    drawn from (seed, epoch). A batch is made of parts (captioned items, images);
    every process takes its slice of each part, so all hold equally many of each.
    A loader with batch size ``sum(parts) / world_size`` makes exactly these slices its
    batches, and the processes together see the same batches whatever their number.

    It yields ``(index, item seed)``: see :meth:`ItemDataset.__getitem__`.

    Args:
        parts: Items of each part of a global batch.
        batches_per_epoch: Global batches of an epoch.
        seed: Seed; None: drawn once, the same on all processes.
        rank: This process; None: the running one.
        world_size: Number of processes; None: as many as run.

    Raises:
        ValueError: A part can't be shared equally, or there isn't one batch.
    """

    def __init__(
        self,
        parts: Sequence[int],
        batches_per_epoch: int,
        seed: int | None,
        rank: int | None = None,
        world_size: int | None = None,
    ) -> None:
        here, size = get_rank_and_size()
        self.rank = here if rank is None else rank
        self.world_size = size if world_size is None else world_size
        if any(part % self.world_size for part in parts):
            raise ValueError(
                f'A global batch of {" + ".join(map(str, parts))} items cannot be '
                f'shared equally by {self.world_size} processes: every part must be a '
                'multiple of their number.'
            )
        if batches_per_epoch < 1:
            raise ValueError(
                f'{type(self).__name__}: the dataset is too small for a single batch '
                f'of {" + ".join(map(str, parts))} items.'
            )
        self.parts = tuple(parts)
        self.batches_per_epoch = batches_per_epoch
        self.seed = sync_random_seed() if seed is None else seed
        self.epoch = 0
        self.start = 0

    @abstractmethod
    def draw_epoch(self, rng: np.random.Generator) -> np.ndarray:
        """Draw the indices of an epoch, ``(batches_per_epoch, sum(parts))``."""

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch to draw; a new one starts at its first batch."""
        if epoch != self.epoch:
            self.start = 0
        self.epoch = epoch

    def set_start(self, iteration: int) -> None:
        """Begin the current epoch at a later global batch, to resume in mid-epoch.

        Call it after :meth:`set_epoch`. The length stays that of the whole epoch.

        Raises:
            ValueError: The epoch has fewer batches.
        """
        if not 0 <= iteration <= self.batches_per_epoch:
            raise ValueError(
                f'Cannot start at iteration {iteration} of an epoch of '
                f'{self.batches_per_epoch} batches.'
            )
        self.start = iteration

    def __len__(self) -> int:
        """Items of this process in a whole epoch."""
        return self.batches_per_epoch * sum(self.parts) // self.world_size

    def __iter__(self) -> Iterator[tuple[int, int]]:
        # Streams differ by the last number, so that items and seeds are independent
        items = self.draw_epoch(np.random.default_rng([self.seed, self.epoch, 1]))
        seeds = np.random.default_rng([self.seed, self.epoch, 2]).integers(
            2**32, size=items.shape
        )
        columns = self._columns()
        mine = items[self.start :, columns].ravel().tolist()
        my_seeds = seeds[self.start :, columns].ravel().tolist()
        yield from zip(mine, my_seeds, strict=True)

    def _columns(self) -> np.ndarray:
        """Places of a global batch that are this process'."""
        begins = np.cumsum([0, *self.parts[:-1]])
        shares = [part // self.world_size for part in self.parts]
        return np.concatenate(
            [
                np.arange(begin + self.rank * share, begin + (self.rank + 1) * share)
                for begin, share in zip(begins, shares, strict=True)
            ]
        )


def repeat_passes(draw: Callable[[], np.ndarray], count: int) -> np.ndarray:
    """Return ``count`` batches: passes over the data, each drawn anew, end to end."""
    passes = [draw()]
    while sum(map(len, passes)) < count:
        passes.append(draw())
    return np.concatenate(passes)[:count]

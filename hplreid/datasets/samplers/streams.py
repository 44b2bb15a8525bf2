"""Endless streams of batches over a part of a dataset."""

from typing import Protocol

import numpy as np

from ..items import ItemDataset
from .epoch_passes import (
    count_identity_batches,
    group_by_label,
    identity_pass,
    random_pass,
)
from .global_batch import repeat_passes
from .identity_chunks import camera_chunks, random_chunks


class Stream(Protocol):
    """Batches of ``batch_size`` indices; ``pass_length`` of them go once round."""

    batch_size: int
    pass_length: int

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Return ``count`` batches, ``(count, batch_size)``."""


class RandomStream:
    """Items in random order, each once a pass.

    Args:
        indices: Items to draw from.
        batch_size: Items in a batch.
        what: What the items are, for the error message.

    Raises:
        ValueError: There are fewer items than a batch takes.
    """

    def __init__(self, indices: np.ndarray, batch_size: int, what: str) -> None:
        if not 1 <= batch_size <= len(indices):
            raise ValueError(
                f'A batch of {batch_size} {what} was asked for; the dataset has '
                f'{len(indices):,}.'
            )
        self.indices = indices
        self.batch_size = batch_size
        self.pass_length = len(indices) // batch_size

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """See :class:`Stream`."""
        draw = lambda: random_pass(self.indices, self.batch_size, rng)  # noqa: E731
        return repeat_passes(draw, count)


class IdentityStream:
    """P identities x K items a batch.

    A pass by the rule of :func:`identity_pass` ends some batches before all chunks are
    used, and not always after as many. ``pass_length`` counts all chunks, as the peers'
    samplers do when asked for their length, and the next pass fills what is lacking: so
    every epoch is equally long, as schedules and resuming want it.

    Args:
        dataset: Its labels say who is who.
        indices: Items to draw from.
        num_ids: P.
        num_instances: K.
        balance_cameras: Whether the K of an identity are spread over its cameras, see
            :func:`camera_chunks`, or left to chance, see :func:`random_chunks`.

    Raises:
        ValueError: There are fewer identities than P, items without a training label
            (or without a camera, where that matters), or P or K isn't positive.
    """

    def __init__(
        self,
        dataset: ItemDataset,
        indices: np.ndarray,
        num_ids: int,
        num_instances: int,
        balance_cameras: bool = False,
    ) -> None:
        if num_ids < 1 or num_instances < 1:
            raise ValueError(
                'A batch needs at least one identity and one item of each, got '
                f'{num_ids} x {num_instances}.'
            )
        labels = dataset.labels[indices]
        if (labels < 0).any():
            raise ValueError(
                "Items without a training label can't be sampled by identity: expected "
                "a dataset of split 'train'."
            )
        self.groups = group_by_label(indices, labels) if len(indices) else []
        if len(self.groups) < num_ids:
            raise ValueError(
                f'A batch of {num_ids} identities was asked for; the dataset has '
                f'{len(self.groups):,}.'
            )
        self.num_ids, self.num_instances = num_ids, num_instances
        self.batch_size = num_ids * num_instances
        self.pass_length = count_identity_batches(self.groups, num_ids, num_instances)
        self.cameras = _number_cameras(dataset, indices) if balance_cameras else None

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """See :class:`Stream`."""
        draw = lambda: identity_pass(  # noqa: E731
            self.groups, self.num_ids, self._cut, rng
        )
        return repeat_passes(draw, count)

    def _cut(self, group: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        if self.cameras is None:
            return random_chunks(group, self.num_instances, rng)
        return camera_chunks(group, self.cameras[group], self.num_instances, rng)


def _number_cameras(dataset: ItemDataset, indices: np.ndarray) -> np.ndarray:
    """Return a number for the camera of each item, -1 for those not in ``indices``.

    Raises:
        ValueError: The camera of an item isn't known.
    """
    numbers: dict[tuple[str, int], int] = {}
    cameras = np.full(len(dataset), -1)
    for index in indices.tolist():
        item = dataset.get_data_info(index)
        if item['camid'] < 0:
            raise ValueError(
                'balance_cameras=True needs the camera of every item; that of '
                f"'{item['img_path']}' ({item['source']}) is not known."
            )
        # Camera 0 of two datasets isn't one camera
        camera = (item['source'], item['camid'])
        cameras[index] = numbers.setdefault(camera, len(numbers))
    return cameras

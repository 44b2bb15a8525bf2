"""A list of items with a pipeline: what every dataset is once it has been read."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from hplreid.registry import TRANSFORMS

from .seeding import random_state_kept, seed_all

Item = dict[str, Any]
"""``img_path`` (str | None), ``pid`` (the dataset's own number), ``label`` (contiguous
training label, -1 outside training), ``camid`` (from 0, -1 unknown), ``caption`` (str |
None), ``source`` (name of the dataset), ``split`` ('train' | 'query' | 'gallery') and
``sample_idx`` (position)."""

Pipeline = Sequence[dict | Callable[[Item], Any]]


class ItemDataset(Dataset):
    """Items, and the steps that make a sample of each.

    Args:
        items: The items, in their final order; ``sample_idx`` is set here.
        pipeline: Transforms, or configs of transforms.
        metainfo: What identifies the dataset; it's stored in checkpoints.
    """

    def __init__(
        self, items: list[Item], pipeline: Pipeline, metainfo: dict[str, Any]
    ) -> None:
        self._items = [dict(item, sample_idx=i) for i, item in enumerate(items)]
        self.pipeline = [
            TRANSFORMS.build(step) if isinstance(step, dict) else step
            for step in pipeline
        ]
        for step in self.pipeline:
            if hasattr(step, 'check_items'):  # what it needs of them is looked for now
                step.check_items(self._items)
        self._metainfo = metainfo
        self.labels: np.ndarray = np.array([i['label'] for i in items], dtype=np.int64)
        self.has_caption: np.ndarray = np.array(
            [i['caption'] is not None for i in items], dtype=bool
        )

    @property
    def metainfo(self) -> dict[str, Any]:
        """Name, number of identities and the map from identity to label."""
        return dict(self._metainfo)

    @property
    def num_ids(self) -> int:
        """Number of identities; in training, of labels."""
        return self._metainfo['num_ids']

    @property
    def num_images(self) -> int:
        """Number of distinct image files."""
        return len({i['img_path'] for i in self._items if i['img_path'] is not None})

    def __len__(self) -> int:
        return len(self._items)

    def get_data_info(self, index: int) -> Item:
        """Return a copy of an item."""
        return dict(self._items[index])

    def __getitem__(self, index: int | tuple[int, int]) -> Any:  # noqa: ANN401
        """Run the pipeline on an item.

        Args:
            index: Position, or position and seed. With a seed the result depends on
                the two alone, and no random state is touched.

        Raises:
            FileNotFoundError: The image isn't there.
            UnreadableImageError: It can't be decoded. No item is ever skipped.
        """
        if isinstance(index, tuple):
            return self.__getitems__([index])[0]
        return self._run(index)

    def __getitems__(self, indices: Sequence[int | tuple[int, int]]) -> list[Any]:
        """Run the pipeline on the items of a batch. Loaders call this.

        Random states are put aside once a batch, for that takes as long as loading an
        item from a cache does.
        """
        seeded = [index for index in indices if isinstance(index, tuple)]
        if len(seeded) < len(indices):
            return [self[index] for index in indices]
        with random_state_kept():
            return [self._run_seeded(*index) for index in seeded]

    def _run_seeded(self, position: int, seed: int) -> Any:  # noqa: ANN401
        seed_all(seed)
        return self._run(position)

    def _run(self, position: int) -> Any:  # noqa: ANN401
        result: Any = self.get_data_info(position)
        for step in self.pipeline:
            result = step(result)
        return result

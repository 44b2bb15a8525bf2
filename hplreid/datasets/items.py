"""The item, and the base class of all datasets: a list of items with a pipeline."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from hplreid.registry import TRANSFORMS

from .seeding import preserve_random_state, seed_all

Item = dict[str, Any]
"""One sample before the pipeline.

``img_path`` (str | None), ``pid`` (the dataset's own number), ``label`` (contiguous
training label, -1 outside training), ``camid`` (from 0, -1 unknown), ``caption`` (str |
None), ``source`` (name of the dataset), ``split`` ('train' | 'query' | 'gallery') and
``sample_idx`` (position)."""

Pipeline = Sequence[dict | Callable[[Item], Any]]
"""Transforms, or configs of transforms, in the order in which they are applied."""


class ItemDataset(Dataset):
    """A list of items and the pipeline that turns each into a sample.

    Args:
        items: The items, in their final order; ``sample_idx`` is set here.
        pipeline: Transforms, or configs of transforms.
        metainfo: ``dataset_name``, ``split``, ``num_ids`` and ``label_of``; stored in
            checkpoints.

    Example:
        >>> image = {'img_path': 'a.jpg', 'pid': 7, 'label': 0, 'caption': None}
        >>> dataset = ItemDataset([image], [lambda i: i['pid']], {'num_ids': 1})
        >>> dataset[0], dataset.num_ids, dataset.labels
        (7, 1, array([0]))
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
            if hasattr(step, 'check_items'):  # fail now, not in a worker
                step.check_items(self._items)
        self._metainfo = metainfo
        self.labels: np.ndarray = np.array([i['label'] for i in items], dtype=np.int64)
        self.has_caption: np.ndarray = np.array(
            [i['caption'] is not None for i in items], dtype=bool
        )

    @property
    def metainfo(self) -> dict[str, Any]:
        """Return a copy of the name, number of identities and identity-to-label map."""
        return dict(self._metainfo)

    @property
    def num_ids(self) -> int:
        """Return the number of identities; in training, of labels."""
        return self._metainfo['num_ids']

    @property
    def num_images(self) -> int:
        """Return the number of distinct image files."""
        return len({i['img_path'] for i in self._items if i['img_path'] is not None})

    def __len__(self) -> int:
        return len(self._items)

    def get_data_info(self, index: int) -> Item:
        """Return a copy of an item."""
        return dict(self._items[index])

    def __getitem__(self, index: int | tuple[int, int]) -> Any:  # noqa: ANN401
        """Run the pipeline on an item.

        Args:
            index: Position, or position and seed. With a seed the result depends only
                on these two, and the global random states are preserved.

        Raises:
            FileNotFoundError: The image does not exist.
            UnreadableImageError: It can't be decoded. Items are never skipped.
        """
        if isinstance(index, tuple):
            return self.__getitems__([index])[0]
        return self._run(index)

    def __getitems__(self, indices: Sequence[int | tuple[int, int]]) -> list[Any]:
        """Run the pipeline on the items of a batch; ``DataLoader`` calls this.

        Random states are saved once per batch: saving them takes as long as loading an
        item from a cache.
        """
        pairs = [index for index in indices if isinstance(index, tuple)]
        if len(pairs) < len(indices):
            return [self[index] for index in indices]
        with preserve_random_state():
            return [self._run_seeded(*pair) for pair in pairs]

    def _run_seeded(self, position: int, seed: int) -> Any:  # noqa: ANN401
        seed_all(seed)
        return self._run(position)

    def _run(self, position: int) -> Any:  # noqa: ANN401
        result: Any = self.get_data_info(position)
        for step in self.pipeline:
            result = step(result)
        return result

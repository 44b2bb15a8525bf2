"""A dataset of made-up images and captions, for whole runs without files."""

from typing import Any

import numpy as np
import torch

from hplreid.datasets.items import Item, ItemDataset
from hplreid.registry import DATASETS
from hplreid.structures import ReIDDataSample

from .made_up_data import make_captions


@DATASETS.register_module()
class MadeUpDataset(ItemDataset):
    """Captioned items and images without a caption, of noise.

    An item is the same whenever it is asked for, whatever its seed.

    Args:
        num_ids: Identities.
        num_pairs: Captioned items of each.
        num_images: Images without a caption of each.
        img_size: Height and width.
    """

    def __init__(
        self, num_ids: int, num_pairs: int, num_images: int, img_size: tuple[int, int]
    ) -> None:
        items: list[Item] = [
            dict(
                img_path=None,
                caption='made up' if place < num_pairs else None,
                pid=label,
                label=label,
                camid=place % 2,
                source='made_up',
                split='train',
            )
            for label in range(num_ids)
            for place in range(num_pairs + num_images)
        ]
        self.img_size = tuple(img_size)
        metainfo = dict(
            dataset_name='made_up',
            split='train',
            num_ids=num_ids,
            label_of={label: label for label in range(num_ids)},
        )
        super().__init__(items, [self._make], metainfo)

    def _make(self, item: Item) -> dict[str, Any]:
        rng = np.random.default_rng(item['sample_idx'])
        image = rng.integers(0, 256, (3, *self.img_size), dtype=np.uint8)
        caption = None
        if item['caption'] is not None:
            generator = torch.Generator().manual_seed(item['sample_idx'])
            caption = make_captions(1, 20, generator)[0]
        return dict(
            inputs=dict(image=torch.from_numpy(image), caption=caption),
            data_samples=ReIDDataSample(metainfo=dict(item)),
        )

"""Captioned items in random order."""

import numpy as np

from hplreid.registry import DATA_SAMPLERS

from ..items import ItemDataset
from .item_sampler import ItemSampler


@DATA_SAMPLERS.register_module()
class CaptionSampler(ItemSampler):
    """A random permutation of the items that have a caption, each once an epoch.

    Arguments, remainder and errors as of :class:`ItemSampler`.
    """

    what = 'captioned items'

    def choose(self, dataset: ItemDataset) -> np.ndarray:
        """Return the positions of captioned items."""
        return np.flatnonzero(dataset.has_caption)

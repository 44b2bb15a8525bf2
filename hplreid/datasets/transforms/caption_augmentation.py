"""Easy data augmentation of captions: words swapped, words left out."""

import torch

from hplreid.registry import TRANSFORMS

from ..items import Item
from .image_transform import check_probability


@TRANSFORMS.register_module()
class EDACaption:
    """Swap and delete some words of a caption, before it becomes tokens.

    Two of the four operations of EDA (https://arxiv.org/abs/1901.11196). Synonym
    replacement and random insertion need WordNet, which is a download, and aren't here;
    nor is back translation, which needs a model. The defaults are those of TBPS-CLIP
    (https://arxiv.org/abs/2308.10045), which deletes only.

    Args:
        delete: How probably a word is deleted. One is left in any case.
        swap: Swaps for each word of a caption: ``swap * words`` of them, rounded down,
            and at least one, before any word is deleted. 0: none.

    Raises:
        ValueError: A number isn't within 0 and 1.
    """

    def __init__(self, delete: float = 0.05, swap: float = 0.0) -> None:
        self.delete = check_probability(delete, 'delete')
        self.swap = check_probability(swap, 'swap')

    def __call__(self, item: Item) -> Item:
        """Change ``caption``; items without one pass through.

        Raises:
            ValueError: The caption has been tokenized already.
        """
        if item['caption'] is None:
            return item
        if 'tokens' in item:
            raise ValueError(
                'EDACaption comes after TokenizeCaption in the pipeline, where it '
                'changes nothing that the model sees: put it before.'
            )
        words = item['caption'].split()
        if self.swap > 0:
            words = swap_words(words, max(1, int(self.swap * len(words))))
        if self.delete > 0:
            words = delete_words(words, self.delete)
        item['caption'] = ' '.join(words)
        return item


def swap_words(words: list[str], count: int) -> list[str]:
    """Exchange the words of two places, ``count`` times; each pair equally likely."""
    swapped = list(words)
    if len(words) > 1:
        for _ in range(count):
            a, b = torch.randperm(len(words))[:2].tolist()
            swapped[a], swapped[b] = swapped[b], swapped[a]
    return swapped


def delete_words(words: list[str], prob: float) -> list[str]:
    """Leave out each word with probability ``prob``; if all go, one comes back."""
    if not words:
        return []
    kept = torch.rand(len(words)) >= prob
    if not kept.any():
        kept[torch.randint(len(words), (1,))] = True
    return [word for word, keep in zip(words, kept.tolist(), strict=True) if keep]

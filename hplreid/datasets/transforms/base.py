"""What transforms share: each concerns the picture or the tokens of an item."""

from abc import ABC, abstractmethod

from torch import Tensor

from ..items import Item


class ImageTransform(ABC):
    """Changes the picture ``item['image']``; items without one pass through."""

    def __call__(self, item: Item) -> Item:
        """Run :meth:`transform` on the picture."""
        if item.get('image') is not None:
            item['image'] = self.transform(item['image'])
        return item

    @abstractmethod
    def transform(self, image: Tensor) -> Tensor:
        """Change a picture, uint8 ``(3, H, W)``."""


class TokenTransform(ABC):
    """Changes the tokens ``item['tokens']``; items without any pass through."""

    def __call__(self, item: Item) -> Item:
        """Run :meth:`transform` on the tokens."""
        if item.get('tokens') is not None:
            item['tokens'] = self.transform(item['tokens'])
        return item

    @abstractmethod
    def transform(self, tokens: Tensor) -> Tensor:
        """Change tokens, int64 ``(77,)``."""


def check_probability(prob: float, name: str) -> float:
    """Return ``prob``, or raise ValueError if it isn't within 0 and 1."""
    if not 0 <= prob <= 1:
        raise ValueError(f'{name} must be a probability within 0 and 1, got {prob}.')
    return prob

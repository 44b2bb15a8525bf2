"""The base class of image transforms."""

from abc import ABC, abstractmethod

from torch import Tensor

from ..items import Item


class ImageTransform(ABC):
    """Changes the image ``item['image']``; items without one pass through."""

    def __call__(self, item: Item) -> Item:
        """Run :meth:`transform` on the image.

        Raises:
            ValueError: A part of it is to be erased, and would no longer lie there.
        """
        if item.get('image') is not None:
            check_not_erased(item, type(self).__name__)
            item['image'] = self.transform(item['image'])
        return item

    @abstractmethod
    def transform(self, image: Tensor) -> Tensor:
        """Change an image, uint8 ``(3, H, W)``."""


def check_not_erased(item: Item, name: str) -> None:
    """Raise ValueError if the step ``name`` comes after random erasing."""
    if 'erasure' in item:
        raise ValueError(
            f'{name} comes after RandomErasing in the pipeline. The part that is '
            'erased is filled later, by the data preprocessor: RandomErasing must be '
            'the last step that concerns the image.'
        )


def check_probability(prob: float, name: str) -> float:
    """Return ``prob``, or raise ValueError if it isn't within 0 and 1."""
    if not 0 <= prob <= 1:
        raise ValueError(f'{name} must be a probability within 0 and 1, got {prob}.')
    return prob

"""Packing an item into model inputs and a data sample."""

from typing import Any

import torch
from torch import Tensor

from hplreid.registry import TRANSFORMS
from hplreid.structures import ReIDDataSample

from ..items import Item

_META = (
    'pid',
    'label',
    'camid',
    'split',
    'source',
    'sample_idx',
    'img_path',
    'caption',
)


@TRANSFORMS.register_module()
class PackReIDInputs:
    """Sort an item into model inputs and a :class:`ReIDDataSample`.

    ``inputs`` has ``image``, uint8 ``(3, H, W)``, ``caption``, int64 ``(77,)``, and
    ``masking``, int64 ``(2, 77)`` (see :class:`MaskCaption`); each is None for an item
    that has none.
    """

    def __call__(self, item: Item) -> dict[str, Any]:
        """Pack the item.

        Raises:
            ValueError: It has an image that wasn't loaded, a caption that wasn't
                tokenized, or neither.
        """
        image, caption = item.get('image'), item.get('tokens')
        for name, value, step, source in (
            ('image', image, 'LoadImage', 'img_path'),
            ('caption', caption, 'TokenizeCaption', 'caption'),
        ):
            if value is None and item[source] is not None:
                raise ValueError(
                    f"The {name} '{item[source]}' was not loaded: the pipeline lacks "
                    f'{step}.'
                )
        if image is None and caption is None:
            raise ValueError(
                f'Item {item["sample_idx"]} of {item["source"]} has neither an image '
                'nor a caption.'
            )
        known = {key: item[key] for key in _META}
        if item.get('erasure') is not None:
            known['erasure'] = item['erasure']
        sample = ReIDDataSample(metainfo=known)
        inputs = {
            'image': _check_uint8(image),
            'caption': caption,
            'masking': item.get('masking'),
        }
        return {'inputs': inputs, 'data_samples': sample}


def _check_uint8(image: Tensor | None) -> Tensor | None:
    if image is not None and image.dtype != torch.uint8:
        raise ValueError(
            f'An image must be packed as uint8, got {image.dtype}: the data '
            'preprocessor normalizes it.'
        )
    return image

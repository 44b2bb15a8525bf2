"""Transforms of an item: load, resize, augment, tokenize, mask, pack.

Each takes an item and returns it, and draws its random numbers from the item's seed.
Decoding and the cache of resized images live in ``images``.
"""

from .caption_augmentation import EDACaption
from .caption_tokens import MaskCaption, TokenizeCaption
from .image_augmentation import PadRandomCrop, RandomErasing, RandomFlip
from .image_transform import ImageTransform
from .loading import LoadCachedImage, LoadImage, ResizeImage
from .packing import PackReIDInputs

__all__ = [
    'EDACaption',
    'ImageTransform',
    'LoadCachedImage',
    'LoadImage',
    'MaskCaption',
    'PackReIDInputs',
    'PadRandomCrop',
    'RandomErasing',
    'RandomFlip',
    'ResizeImage',
    'TokenizeCaption',
]

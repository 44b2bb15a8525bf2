"""Steps of a pipeline: load, resize, augment, tokenize, mask, pack."""

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

"""Steps of a pipeline: load, resize, augment, tokenise, mask, pack."""

from .augmentation import PadRandomCrop, RandomErasing, RandomFlip
from .base import ImageTransform, TokenTransform
from .caption import MaskCaption, TokenizeCaption
from .loading import LoadImage, ResizeImage
from .packing import PackReIDInputs

__all__ = [
    'ImageTransform',
    'LoadImage',
    'MaskCaption',
    'PackReIDInputs',
    'PadRandomCrop',
    'RandomErasing',
    'RandomFlip',
    'ResizeImage',
    'TokenTransform',
    'TokenizeCaption',
]

"""Steps of a pipeline: load, resize, augment, tokenise, mask, pack."""

from .augmentation import PadRandomCrop, RandomErasing, RandomFlip
from .base import ImageTransform
from .caption import MaskCaption, TokenizeCaption
from .eda import EDACaption
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

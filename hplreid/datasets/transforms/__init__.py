"""Steps of a pipeline: load, resize, augment, tokenise, mask, pack."""

from .augmentation import PadRandomCrop, RandomErasing, RandomFlip
from .base import ImageTransform
from .caption import MaskCaption, TokenizeCaption
from .eda import EDACaption
from .loading import LoadImage, ResizeImage
from .packing import PackReIDInputs

__all__ = [
    'EDACaption',
    'ImageTransform',
    'LoadImage',
    'MaskCaption',
    'PackReIDInputs',
    'PadRandomCrop',
    'RandomErasing',
    'RandomFlip',
    'ResizeImage',
    'TokenizeCaption',
]

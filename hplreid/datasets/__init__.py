"""Benchmarks, the steps that prepare their items, and the streams that pick them.

The generator of SynthPeds is not imported here: its workers shall start quickly.
"""

from .base import BaseReIDDataset
from .collate import reid_collate
from .cuhk_pedes import CUHKPEDES
from .errors import (
    AnnotationError,
    CountMismatchError,
    MissingDataError,
    UnreadableImageError,
)
from .items import ItemDataset
from .joint import JointDataset
from .market1501 import Market1501
from .samplers import CaptionSampler, IdentitySampler, JointSampler
from .transforms import (
    LoadImage,
    MaskCaption,
    PackReIDInputs,
    PadRandomCrop,
    RandomErasing,
    RandomFlip,
    ResizeImage,
    TokenizeCaption,
)

__all__ = [
    'CUHKPEDES',
    'AnnotationError',
    'BaseReIDDataset',
    'CaptionSampler',
    'CountMismatchError',
    'IdentitySampler',
    'ItemDataset',
    'JointDataset',
    'JointSampler',
    'LoadImage',
    'Market1501',
    'MaskCaption',
    'MissingDataError',
    'PackReIDInputs',
    'PadRandomCrop',
    'RandomErasing',
    'RandomFlip',
    'ResizeImage',
    'TokenizeCaption',
    'UnreadableImageError',
    'reid_collate',
]

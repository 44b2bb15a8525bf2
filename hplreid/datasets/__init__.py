"""Datasets: reading items from disk, turning them into samples, and sampling them.

* ``benchmarks``: the seven public benchmarks
* ``own_data``: your own images, from a table or from folders
* ``joint``: several datasets as one, and identities held out for validation
* ``images``: decoding, verifying and caching image files
* ``transforms``: the steps of a pipeline
* ``samplers``: which items make a batch
* ``doctor``: examining a dataset for faults

The generator of SynthPeds lives in ``hplreid.synthpeds`` and is not imported here, so
that its workers start quickly. No model and no metric lives here.
"""

from .base import BaseReIDDataset
from .benchmarks import (
    CUHK03NP,
    CUHKPEDES,
    ICFGPEDES,
    MSMT17,
    DukeMTMCReID,
    Market1501,
    RSTPReid,
)
from .collate import reid_collate
from .errors import (
    AnnotationError,
    CountMismatchError,
    EmptySplitError,
    MissingDataError,
    UnreadableImageError,
)
from .images import CacheError
from .items import ItemDataset
from .joint import ConcatReIDDataset, HoldOut, JointDataset
from .own_data import FolderDataset, TableDataset
from .samplers import CaptionSampler, IdentitySampler, ItemSampler, JointSampler
from .transforms import (
    EDACaption,
    LoadCachedImage,
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
    'CUHK03NP',
    'CUHKPEDES',
    'ICFGPEDES',
    'MSMT17',
    'AnnotationError',
    'BaseReIDDataset',
    'CacheError',
    'CaptionSampler',
    'ConcatReIDDataset',
    'CountMismatchError',
    'DukeMTMCReID',
    'EDACaption',
    'EmptySplitError',
    'FolderDataset',
    'HoldOut',
    'IdentitySampler',
    'ItemDataset',
    'ItemSampler',
    'JointDataset',
    'JointSampler',
    'LoadCachedImage',
    'LoadImage',
    'Market1501',
    'MaskCaption',
    'MissingDataError',
    'PackReIDInputs',
    'PadRandomCrop',
    'RSTPReid',
    'RandomErasing',
    'RandomFlip',
    'ResizeImage',
    'TableDataset',
    'TokenizeCaption',
    'UnreadableImageError',
    'reid_collate',
]

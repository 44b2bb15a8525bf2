"""Benchmarks, the steps that prepare their items, and the streams that pick them.

The generator of SynthPeds is not imported here: its workers shall start quickly.
"""

from .base import BaseReIDDataset
from .cache_index import CacheError
from .collate import reid_collate
from .concat import ConcatReIDDataset
from .cuhk03_np import CUHK03NP
from .cuhk_pedes import CUHKPEDES
from .dukemtmc import DukeMTMCReID
from .errors import (
    AnnotationError,
    CountMismatchError,
    EmptySplitError,
    MissingDataError,
    UnreadableImageError,
)
from .folder import FolderDataset
from .hold_out import HoldOut
from .icfg_pedes import ICFGPEDES
from .items import ItemDataset
from .joint import JointDataset
from .market1501 import Market1501
from .msmt17 import MSMT17
from .rstp_reid import RSTPReid
from .samplers import CaptionSampler, IdentitySampler, ItemSampler, JointSampler
from .table import TableDataset
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

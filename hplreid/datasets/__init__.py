"""Benchmarks, the steps that prepare their items, and the streams that pick them.

The generator of SynthPeds is not imported here: its workers shall start quickly.
"""

from .base import BaseReIDDataset
from .benchmarks.cuhk03_np import CUHK03NP
from .benchmarks.cuhk_pedes import CUHKPEDES
from .benchmarks.dukemtmc import DukeMTMCReID
from .benchmarks.icfg_pedes import ICFGPEDES
from .benchmarks.market1501 import Market1501
from .benchmarks.msmt17 import MSMT17
from .benchmarks.rstp_reid import RSTPReid
from .collate import reid_collate
from .errors import (
    AnnotationError,
    CountMismatchError,
    EmptySplitError,
    MissingDataError,
    UnreadableImageError,
)
from .images.cache_index import CacheError
from .items import ItemDataset
from .joint.concat_dataset import ConcatReIDDataset
from .joint.hold_out import HoldOut
from .joint.joint_dataset import JointDataset
from .own_data.folder_dataset import FolderDataset
from .own_data.table_dataset import TableDataset
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

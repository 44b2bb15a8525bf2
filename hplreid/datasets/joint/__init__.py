"""Several datasets as one: united labels, removal of leaks, identities held out.

How one dataset reads its own annotations lives in ``benchmarks`` and ``own_data``.
"""

from .concat_dataset import ConcatReIDDataset
from .hold_out import HoldOut
from .joint_dataset import JointDataset

__all__ = [
    'ConcatReIDDataset',
    'HoldOut',
    'JointDataset',
]

"""Datasets made of others: unified labels, removed leaks, held-out identities.

How a single dataset is read lives in ``benchmarks`` and ``own_data``; which items of a
joint dataset make a batch is decided in ``samplers``.
"""

from .concat_dataset import ConcatReIDDataset
from .hold_out import HoldOut
from .joint_dataset import JointDataset

__all__ = [
    'ConcatReIDDataset',
    'HoldOut',
    'JointDataset',
]

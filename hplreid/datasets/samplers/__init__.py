"""Which items make a batch: the same for any number of processes."""

from .caption_sampler import CaptionSampler
from .global_batch import GlobalBatchSampler
from .identity_sampler import IdentitySampler
from .item_sampler import ItemSampler
from .joint_sampler import JointSampler

__all__ = [
    'CaptionSampler',
    'GlobalBatchSampler',
    'IdentitySampler',
    'ItemSampler',
    'JointSampler',
]

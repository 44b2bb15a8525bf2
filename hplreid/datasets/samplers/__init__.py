"""Which items make a batch: P x K identities, captions, or both.

Every sampler states the global batch, the same for any number of processes. What an
item is lives in ``items``; what happens to it in ``transforms``.
"""

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

"""Weights in shards: a training whose processes share parameters and optimizer states.

What is equal in all processes, and how they are started, is in ``data_parallel.py``.
"""

from .fully_sharded import ReIDFullySharded, find_sharding_problems
from .shards import gathered, shards_of, whole

__all__ = [
    'ReIDFullySharded',
    'find_sharding_problems',
    'gathered',
    'shards_of',
    'whole',
]

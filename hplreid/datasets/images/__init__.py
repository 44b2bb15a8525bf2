"""Image files: whether they exist, decoding, resizing, the cache of resized ones.

Random changes of an image live in ``transforms``; which images a config caches is
decided in ``hplreid.engine.config``.
"""

from .cache_index import CacheError, CacheKey
from .image_cache import ImageCache

__all__ = [
    'CacheError',
    'CacheKey',
    'ImageCache',
]

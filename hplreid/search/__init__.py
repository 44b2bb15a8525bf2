"""Search in a gallery that lives in a database: by images, words, and both.

``Gallery`` is the face of the room; ``stores`` has the databases behind it, embedded or
on a server. Encoding is ``apis.ReIDInferencer``'s; nothing here draws or serves pages.
"""

from .calibration import Calibration, read_calibration
from .errors import (
    DatabaseError,
    GalleryError,
    GalleryInUseError,
    ItemError,
    OtherModelError,
    QueryError,
    VideoError,
)
from .filters import Filters, parse_time
from .gallery import Gallery
from .hits import Found, Hit
from .indexing import Indexed, copy_gallery, index_images
from .items import Item, list_items, list_table_items
from .model_key import ModelKey
from .query import Query
from .stores import gallery_exists

__all__ = [
    'Calibration',
    'DatabaseError',
    'Filters',
    'Found',
    'Gallery',
    'GalleryError',
    'GalleryInUseError',
    'Hit',
    'Indexed',
    'Item',
    'ItemError',
    'ModelKey',
    'OtherModelError',
    'Query',
    'QueryError',
    'VideoError',
    'copy_gallery',
    'gallery_exists',
    'index_images',
    'list_items',
    'list_table_items',
    'parse_time',
    'read_calibration',
]

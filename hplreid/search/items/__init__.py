"""What a gallery has: items, their images, and lists of them from folders and tables.

Nothing here knows of features, models or databases.
"""

from .images import ItemSource, decode_item, load_item, locate
from .item import Item, check_path
from .listing import list_items, list_table_items

__all__ = [
    'Item',
    'ItemSource',
    'check_path',
    'decode_item',
    'list_items',
    'list_table_items',
    'load_item',
    'locate',
]

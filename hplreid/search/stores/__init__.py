"""The databases behind a gallery, with one protocol: embedded, or on a server.

``open_store`` chooses by the URL. What items, models and queries are isn't known here.
"""

from .opening import create_store, gallery_exists, open_store
from .store import Candidate, Point, Store

__all__ = [
    'Candidate',
    'Point',
    'Store',
    'create_store',
    'gallery_exists',
    'open_store',
]

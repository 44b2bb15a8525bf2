"""A page in the browser: search a gallery by words, images and what was found.

``desk.py`` answers it without knowing of pages, ``uploads.py`` and ``guards.py`` say
what is let in, ``page.py`` is what is seen. ``python -m hplreid.search.serve`` starts
it.
"""

from .desk import SearchDesk
from .first_start import SynthPedsGallery, make_synthpeds_gallery
from .server import ServeError, serve
from .uploads import UploadError, decode_upload

__all__ = [
    'SearchDesk',
    'ServeError',
    'SynthPedsGallery',
    'UploadError',
    'decode_upload',
    'make_synthpeds_gallery',
    'serve',
]

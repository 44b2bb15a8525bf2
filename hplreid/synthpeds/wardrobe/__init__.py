"""Identities: attributes in words, colors in Lab space, proportions and tailoring.

The shapes of body and clothes live in ``figure``, the wording of captions in
``captions``.
"""

from .attributes import Attributes, make_attributes
from .colors import COLOR_ANCHORS, nearest_color_word
from .identity import Identity, make_identity

__all__ = [
    'COLOR_ANCHORS',
    'Attributes',
    'Identity',
    'make_attributes',
    'make_identity',
    'nearest_color_word',
]

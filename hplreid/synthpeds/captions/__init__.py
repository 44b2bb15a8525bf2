"""Captions: the parts that an image shows, put into sentences.

Which attributes an identity has is decided in ``wardrobe``; rendering lives in
``person_image`` and ``camera``.
"""

from .caption import Caption, make_caption
from .named_parts import NamedPart, find_named_parts, parts_named

__all__ = [
    'Caption',
    'NamedPart',
    'find_named_parts',
    'make_caption',
    'parts_named',
]

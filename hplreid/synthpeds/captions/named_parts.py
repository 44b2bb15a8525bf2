"""The visible parts that words of a caption name."""

from __future__ import annotations

from ..figure.body_parts import Part
from .phrases import GARMENTS

_TOP = ('t-shirt', 'shirt', 'sweater', 'hoodie', 'jacket', 'coat', 'dress')
_BOTTOM = ('jeans', 'trousers', 'shorts', 'skirt', 'long skirt')
_FEET = ('sneakers', 'shoes', 'boots')
_GROUPS: tuple[tuple[tuple[str, ...], tuple[Part, ...]], ...] = (
    (_TOP, (Part.UPPER, Part.INNER, Part.PRINT)),
    (_BOTTOM, (Part.LOWER,)),
    (_FEET, (Part.SHOES,)),
)
_OTHERS: dict[str, tuple[Part, ...]] = {
    **dict.fromkeys(('hair', 'ponytail', 'bun'), (Part.HAIR,)),
    **dict.fromkeys(('cap', 'beanie', 'hat'), (Part.HAT,)),
    **dict.fromkeys(('glasses', 'sunglasses'), (Part.GLASSES,)),
    **dict.fromkeys(
        ('backpack', 'rucksack', 'bag', 'handbag'), (Part.BAG, Part.STRAP)
    ),
    **dict.fromkeys(('strap', 'straps'), (Part.STRAP,)),
    **dict.fromkeys(('print', 'logo', 'graphic', 'design'), (Part.PRINT,)),
}


def _nouns() -> dict[str, tuple[Part, ...]]:
    nouns = dict(_OTHERS)
    for garments, parts in _GROUPS:
        for garment in garments:
            for phrase in GARMENTS[garment]:
                # Of a compound the last word: 'hooded sweatshirt', 't-shirt'
                nouns[phrase.lower().replace('-', ' ').split()[-1]] = parts
    return nouns


_NOUNS = _nouns()


def parts_named(word: str) -> tuple[Part, ...]:
    """Return the parts that a word of a caption names; none for most words.

    A garment is named by its noun, not by its color. ``'shirt'`` is all that is worn
    above, for captions say what is under what in several words.

    Args:
        word: A word without signs around it, in any case.

    Example:
        >>> parts_named('Jeans'), parts_named('rucksack'), parts_named('blue')
        ((<Part.LOWER: 10>,), (<Part.BAG: 12>, <Part.STRAP: 13>), ())
    """
    return _NOUNS.get(word.lower(), ())

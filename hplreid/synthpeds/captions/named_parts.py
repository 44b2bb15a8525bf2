"""The visible parts that words of a caption name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
    **dict.fromkeys(('backpack', 'rucksack', 'bag', 'handbag'), (Part.BAG, Part.STRAP)),
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
# Words that no phrase about a garment begins with or goes beyond
_BOUNDS = frozenset(
    (
        *('a', 'an', 'the', 'this', 'he', 'she', 'person', 'man', 'woman', 'pair'),
        *('is', 'be', 'has', 'have', 'wears', 'wearing', 'dressed', 'carries'),
        *('carrying', 'appears', 'to', 'and', 'or', 'in', 'on', 'of', 'with', 'over'),
        *('also', 'underneath', 'from', 'up'),
    )
)


@dataclass(frozen=True)
class NamedPart:
    """A noun of a caption that names a part, and its phrase.

    Attributes:
        parts: What it names.
        noun: Its place among the words.
        first: The place of the phrase's first word; the noun is the last.
    """

    parts: tuple[Part, ...]
    noun: int
    first: int


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


def find_named_parts(words: Sequence[str]) -> list[NamedPart]:
    """Return the nouns of a caption that name parts, with the words that describe them.

    A phrase is a noun and what stands before it, up to an article, a verb, a sign or
    another noun: ``'light gray jacket'``.

    Args:
        words: Of the caption, in order, signs apart.

    Example:
        >>> words = 'a man in dark blue jeans , with a red bag'.split()
        >>> [' '.join(words[n.first : n.noun + 1]) for n in find_named_parts(words)]
        ['dark blue jeans', 'red bag']
    """
    found = []
    for place, word in enumerate(words):
        parts = parts_named(word)
        if not parts:
            continue
        first = place
        while first and _describes(words[first - 1]):
            first -= 1
        found.append(NamedPart(parts, place, first))
    return found


def _describes(word: str) -> bool:
    word = word.lower()
    # A hyphen is a sign to the tokenizer, but stands within a phrase
    known = word == '-' or word.isalnum()
    return known and word not in _BOUNDS and not parts_named(word)

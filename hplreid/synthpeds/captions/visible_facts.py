"""Facts about an identity that an image actually shows."""

from dataclasses import dataclass

import numpy as np

from ..figure.body_parts import Part
from ..person_image import PersonImage
from .phrases import GARMENTS, PLURAL, choose, color_phrase, join_words, with_article

# Smallest area of a part that a caption mentions, in pixels of a 128 x 64 image.
MIN_VISIBLE_AREA: dict[Part, float] = {
    Part.FACE: 20,
    Part.HAIR: 22,
    Part.HAT: 20,
    Part.GLASSES: 4,
    Part.UPPER: 160,
    Part.INNER: 25,
    Part.PRINT: 16,
    Part.LOWER: 110,
    Part.SHOES: 16,
    Part.BAG: 40,
    Part.STRAP: 14,
}


@dataclass(frozen=True)
class Fact:
    """One fact that a caption may mention.

    Args:
        topic: Subject of the fact, such as ``'upper'`` or ``'bag'``.
        verb: ``wear``, ``have`` or ``carry``.
        phrase: Noun phrase.
        weight: Salience, 0-1: how likely the caption keeps the fact. Annotators
            nearly always name clothes and often leave out hair.
    """

    topic: str
    verb: str
    phrase: str
    weight: float


def is_visible(image: PersonImage, part: Part) -> bool:
    """Return whether enough of a part is visible to be mentioned."""
    return image.area(part) >= MIN_VISIBLE_AREA[part]


def _patterned(
    pattern: str, noun: str, color: str, second: str, rng: np.random.Generator
) -> str:
    """Return the noun phrase of a garment in two colors."""
    both, plain = f'{color} and {second}', with_article(f'{color} {noun}')
    forms: tuple[str, ...]
    if pattern == 'stripes':
        forms = (
            with_article(f'{both} striped {noun}'),
            f'{plain} with {second} stripes',
            with_article(f'{noun} with {both} horizontal stripes'),
        )
    elif pattern == 'vertical stripes':
        forms = (
            with_article(f'{both} vertically striped {noun}'),
            f'{plain} with {second} vertical stripes',
        )
    elif pattern == 'checks':
        kinds = ('checkered', 'plaid', 'checked')
        forms = tuple(with_article(f'{both} {kind} {noun}') for kind in kinds)
    else:
        forms = (
            with_article(f'two-tone {noun} in {both}'),
            with_article(f'{second} and {color} {noun}'),
            f'{plain} with {second} shoulders',
        )
    return choose(rng, forms)


def _upper_fact(image: PersonImage, rng: np.random.Generator, hedging: float) -> Fact:
    attributes = image.person.attributes
    noun = choose(rng, GARMENTS[attributes.upper])
    color = color_phrase(rng, attributes.upper_color, hedging)
    second = color_phrase(rng, attributes.second, 0.0)
    if attributes.upper in ('t-shirt', 'shirt', 'dress') and rng.random() < 0.45:
        noun = ('long' if attributes.long_sleeves else 'short') + '-sleeved ' + noun
    if attributes.inner and is_visible(image, Part.INNER):
        inner = color_phrase(rng, attributes.inner, hedging)
        under = with_article(
            join_words(inner, choose(rng, ('shirt', 'top', 't-shirt')))
        )
        how = choose(rng, ('over', 'on top of', 'with'))
        under += ' underneath' if how == 'with' else ''
        start = with_article(join_words(choose(rng, ('open', '')), color, noun))
        return Fact('upper+inner', 'wear', f'{start} {how} {under}', 1.0)
    pattern = attributes.pattern
    if pattern == 'print' and is_visible(image, Part.PRINT):
        what = choose(rng, ('print', 'logo', 'graphic', 'design'))
        where = choose(rng, (' on the chest', ' on the front', ''))
        phrase = (
            with_article(join_words(color, noun)) + f' with a {second} {what}{where}'
        )
        return Fact('upper+print', 'wear', phrase, 1.0)
    if pattern in ('plain', 'print'):
        return Fact('upper', 'wear', with_article(join_words(color, noun)), 1.0)
    # Two vague color words would carry no information: patterns name theirs.
    color = color_phrase(rng, attributes.upper_color, 0.0)
    phrase = _patterned(pattern, noun, color, second, rng)
    return Fact('upper', 'wear', phrase, 1.0)


def _lower_fact(image: PersonImage, rng: np.random.Generator, hedging: float) -> Fact:
    attributes = image.person.attributes
    noun = choose(rng, GARMENTS[attributes.lower])
    phrase = join_words(color_phrase(rng, attributes.lower_color, hedging), noun)
    if attributes.lower in PLURAL:
        pair = choose(rng, ('', '', 'a pair of '))
        return Fact('lower', 'wear', pair + phrase, 0.97)
    return Fact('lower', 'wear', with_article(phrase), 0.97)


def _hair_fact(
    image: PersonImage, rng: np.random.Generator, hedging: float
) -> Fact | None:
    attributes = image.person.attributes
    if attributes.hair == 'bald':
        if is_visible(image, Part.FACE) and attributes.hat == 'none':
            phrase = choose(rng, ('a bald head', 'a shaved head'))
            return Fact('bald', 'have', phrase, 0.7)
        return None
    if not is_visible(image, Part.HAIR):
        return None
    color = color_phrase(rng, attributes.hair_color, hedging)
    if attributes.hair == 'short':
        return Fact('hair', 'have', join_words('short', color, 'hair'), 0.55)
    if attributes.hair == 'medium':
        forms = ('shoulder-length', 'medium-length', 'chin-length')
        return Fact('hair', 'have', join_words(choose(rng, forms), color, 'hair'), 0.6)
    if attributes.hair == 'long':
        return Fact('hair', 'have', join_words('long', color, 'hair'), 0.65)
    if image.view == 'front' or attributes.hat != 'none':
        return Fact('hair', 'have', join_words(color, 'hair'), 0.4)
    tied = {'ponytail': 'in a ponytail', 'bun': 'up in a bun'}[attributes.hair]
    how = choose(rng, ('tied', 'pulled'))
    return Fact('hair', 'have', join_words(color, 'hair', how, tied), 0.7)


def _bag_fact(
    image: PersonImage, rng: np.random.Generator, hedging: float
) -> Fact | None:
    attributes = image.person.attributes
    if attributes.bag == 'none':
        return None
    color = color_phrase(rng, attributes.bag_color, hedging)
    if is_visible(image, Part.BAG):
        if attributes.bag == 'backpack':
            noun = with_article(
                join_words(color, choose(rng, ('backpack', 'rucksack')))
            )
            where = ' on the back' if image.view == 'back' else ''
            return Fact('bag', 'carry', noun + choose(rng, ('', where)), 0.9)
        if attributes.bag == 'shoulder bag':
            noun = choose(rng, ('shoulder bag', 'crossbody bag', 'messenger bag'))
            return Fact('bag', 'carry', with_article(join_words(color, noun)), 0.9)
        noun = choose(rng, ('handbag', 'hand bag', 'bag in the hand'))
        return Fact('bag', 'carry', with_article(join_words(color, noun)), 0.9)
    if not is_visible(image, Part.STRAP):
        return None
    if attributes.bag == 'backpack':
        straps = join_words(color, choose(rng, ('backpack straps', 'bag straps')))
        return Fact('strap', 'have', straps + ' over the shoulders', 0.8)
    return Fact(
        'strap', 'have', with_article(join_words(color, 'strap across the body')), 0.7
    )


def visible_facts(
    image: PersonImage, rng: np.random.Generator, hedging: float
) -> list[Fact]:
    """Return every fact that an image shows, clothes first.

    Args:
        image: The rendered image; its part map decides what is visible.
        rng: Random generator for the wording.
        hedging: Probability of a vague color word.
    """
    attributes = image.person.attributes
    facts: list[Fact | None] = []
    if is_visible(image, Part.UPPER):
        facts.append(_upper_fact(image, rng, hedging))
    if is_visible(image, Part.LOWER):
        facts.append(_lower_fact(image, rng, hedging))
    facts += [_hair_fact(image, rng, hedging), _bag_fact(image, rng, hedging)]
    if attributes.hat != 'none' and is_visible(image, Part.HAT):
        noun = {'cap': ('cap', 'baseball cap'), 'beanie': ('beanie', 'knit hat')}
        color = color_phrase(rng, attributes.hat_color, hedging)
        phrase = with_article(join_words(color, choose(rng, noun[attributes.hat])))
        facts.append(Fact('hat', 'wear', phrase, 0.85))
    if attributes.glasses != 'none' and is_visible(image, Part.GLASSES):
        facts.append(Fact('glasses', 'wear', attributes.glasses, 0.7))
    if is_visible(image, Part.SHOES):
        color = color_phrase(rng, attributes.shoe_color, hedging)
        phrase = join_words(color, choose(rng, GARMENTS[attributes.shoes]))
        facts.append(Fact('shoes', 'wear', phrase, 0.75))
    return [fact for fact in facts if fact is not None]

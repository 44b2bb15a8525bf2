"""What a picture really shows of a description."""

from dataclasses import dataclass

import numpy as np

from ..figure.body_parts import Part
from ..person_image import Picture
from .phrases import GARMENTS, PLURAL, choose, colour_phrase, join, with_article

# Pixels (of 128 x 64) below which nobody would mention a part.
VISIBLE: dict[Part, float] = {
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
    """Something that can be said of a picture.

    Args:
        topic: What it is about; also a key of the checks in the tests.
        verb: ``wear``, ``have`` or ``carry``.
        phrase: Noun phrase.
        weight: Chance of being kept relative to the others, 0-1; people nearly
            always name clothes and often forget hair.
    """

    topic: str
    verb: str
    phrase: str
    weight: float


def shows(picture: Picture, part: Part) -> bool:
    """Whether enough of a part is visible to be mentioned."""
    return picture.area(part) >= VISIBLE[part]


def _patterned(
    pattern: str, noun: str, colour: str, second: str, rng: np.random.Generator
) -> str:
    """Noun phrase of a garment in two colours."""
    both, plain = f'{colour} and {second}', with_article(f'{colour} {noun}')
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
            with_article(f'{second} and {colour} {noun}'),
            f'{plain} with {second} shoulders',
        )
    return choose(rng, forms)


def _upper(picture: Picture, rng: np.random.Generator, hedging: float) -> Fact:
    words = picture.person.words
    noun = choose(rng, GARMENTS[words.upper])
    colour = colour_phrase(rng, words.upper_colour, hedging)
    second = colour_phrase(rng, words.second, 0.0)
    if words.upper in ('t-shirt', 'shirt', 'dress') and rng.random() < 0.45:
        noun = ('long' if words.long_sleeves else 'short') + '-sleeved ' + noun
    if words.inner and shows(picture, Part.INNER):
        inner = colour_phrase(rng, words.inner, hedging)
        under = with_article(join(inner, choose(rng, ('shirt', 'top', 't-shirt'))))
        how = choose(rng, ('over', 'on top of', 'with'))
        under += ' underneath' if how == 'with' else ''
        start = with_article(join(choose(rng, ('open', '')), colour, noun))
        return Fact('upper+inner', 'wear', f'{start} {how} {under}', 1.0)
    pattern = words.pattern
    if pattern == 'print' and shows(picture, Part.PRINT):
        what = choose(rng, ('print', 'logo', 'graphic', 'design'))
        where = choose(rng, (' on the chest', ' on the front', ''))
        phrase = with_article(join(colour, noun)) + f' with a {second} {what}{where}'
        return Fact('upper+print', 'wear', phrase, 1.0)
    if pattern in ('plain', 'print'):
        return Fact('upper', 'wear', with_article(join(colour, noun)), 1.0)
    # Two vague colours would say nothing: patterns name theirs.
    colour = colour_phrase(rng, words.upper_colour, 0.0)
    phrase = _patterned(pattern, noun, colour, second, rng)
    return Fact('upper', 'wear', phrase, 1.0)


def _lower(picture: Picture, rng: np.random.Generator, hedging: float) -> Fact:
    words = picture.person.words
    noun = choose(rng, GARMENTS[words.lower])
    phrase = join(colour_phrase(rng, words.lower_colour, hedging), noun)
    if words.lower in PLURAL:
        pair = choose(rng, ('', '', 'a pair of '))
        return Fact('lower', 'wear', pair + phrase, 0.97)
    return Fact('lower', 'wear', with_article(phrase), 0.97)


def _hair(picture: Picture, rng: np.random.Generator, hedging: float) -> Fact | None:
    words = picture.person.words
    if words.hair == 'bald':
        if shows(picture, Part.FACE) and words.hat == 'none':
            phrase = choose(rng, ('a bald head', 'a shaved head'))
            return Fact('bald', 'have', phrase, 0.7)
        return None
    if not shows(picture, Part.HAIR):
        return None
    colour = colour_phrase(rng, words.hair_colour, hedging)
    if words.hair == 'short':
        return Fact('hair', 'have', join('short', colour, 'hair'), 0.55)
    if words.hair == 'medium':
        forms = ('shoulder-length', 'medium-length', 'chin-length')
        return Fact('hair', 'have', join(choose(rng, forms), colour, 'hair'), 0.6)
    if words.hair == 'long':
        return Fact('hair', 'have', join('long', colour, 'hair'), 0.65)
    if picture.view == 'front' or words.hat != 'none':
        return Fact('hair', 'have', join(colour, 'hair'), 0.4)
    tied = {'ponytail': 'in a ponytail', 'bun': 'up in a bun'}[words.hair]
    how = choose(rng, ('tied', 'pulled'))
    return Fact('hair', 'have', join(colour, 'hair', how, tied), 0.7)


def _bag(picture: Picture, rng: np.random.Generator, hedging: float) -> Fact | None:
    words = picture.person.words
    if words.bag == 'none':
        return None
    colour = colour_phrase(rng, words.bag_colour, hedging)
    if shows(picture, Part.BAG):
        if words.bag == 'backpack':
            noun = with_article(join(colour, choose(rng, ('backpack', 'rucksack'))))
            where = ' on the back' if picture.view == 'back' else ''
            return Fact('bag', 'carry', noun + choose(rng, ('', where)), 0.9)
        if words.bag == 'shoulder bag':
            noun = choose(rng, ('shoulder bag', 'crossbody bag', 'messenger bag'))
            return Fact('bag', 'carry', with_article(join(colour, noun)), 0.9)
        noun = choose(rng, ('handbag', 'hand bag', 'bag in the hand'))
        return Fact('bag', 'carry', with_article(join(colour, noun)), 0.9)
    if not shows(picture, Part.STRAP):
        return None
    if words.bag == 'backpack':
        straps = join(colour, choose(rng, ('backpack straps', 'bag straps')))
        return Fact('strap', 'have', straps + ' over the shoulders', 0.8)
    return Fact(
        'strap', 'have', with_article(join(colour, 'strap across the body')), 0.7
    )


def visible_facts(
    picture: Picture, rng: np.random.Generator, hedging: float
) -> list[Fact]:
    """Everything worth saying of a picture, clothes first.

    Args:
        picture: What was rendered; its part map decides.
        rng: Source of randomness for the wording.
        hedging: Probability of a vague colour.
    """
    words = picture.person.words
    facts: list[Fact | None] = []
    if shows(picture, Part.UPPER):
        facts.append(_upper(picture, rng, hedging))
    if shows(picture, Part.LOWER):
        facts.append(_lower(picture, rng, hedging))
    facts += [_hair(picture, rng, hedging), _bag(picture, rng, hedging)]
    if words.hat != 'none' and shows(picture, Part.HAT):
        noun = {'cap': ('cap', 'baseball cap'), 'beanie': ('beanie', 'knit hat')}
        colour = colour_phrase(rng, words.hat_colour, hedging)
        phrase = with_article(join(colour, choose(rng, noun[words.hat])))
        facts.append(Fact('hat', 'wear', phrase, 0.85))
    if words.glasses != 'none' and shows(picture, Part.GLASSES):
        facts.append(Fact('glasses', 'wear', words.glasses, 0.7))
    if shows(picture, Part.SHOES):
        colour = colour_phrase(rng, words.shoe_colour, hedging)
        phrase = join(colour, choose(rng, GARMENTS[words.shoes]))
        facts.append(Fact('shoes', 'wear', phrase, 0.75))
    return [fact for fact in facts if fact is not None]

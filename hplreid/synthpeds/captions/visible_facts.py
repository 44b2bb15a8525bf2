"""What an image really shows of a description."""

from dataclasses import dataclass

import numpy as np

from ..figure.body_parts import Part
from ..person_image import PersonImage
from .phrases import GARMENTS, PLURAL, choose, color_phrase, join, with_article

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
    """Something that can be said of an image.

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


def shows(image: PersonImage, part: Part) -> bool:
    """Whether enough of a part is visible to be mentioned."""
    return image.area(part) >= VISIBLE[part]


def _patterned(
    pattern: str, noun: str, color: str, second: str, rng: np.random.Generator
) -> str:
    """Noun phrase of a garment in two colors."""
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


def _upper(image: PersonImage, rng: np.random.Generator, hedging: float) -> Fact:
    words = image.person.words
    noun = choose(rng, GARMENTS[words.upper])
    color = color_phrase(rng, words.upper_color, hedging)
    second = color_phrase(rng, words.second, 0.0)
    if words.upper in ('t-shirt', 'shirt', 'dress') and rng.random() < 0.45:
        noun = ('long' if words.long_sleeves else 'short') + '-sleeved ' + noun
    if words.inner and shows(image, Part.INNER):
        inner = color_phrase(rng, words.inner, hedging)
        under = with_article(join(inner, choose(rng, ('shirt', 'top', 't-shirt'))))
        how = choose(rng, ('over', 'on top of', 'with'))
        under += ' underneath' if how == 'with' else ''
        start = with_article(join(choose(rng, ('open', '')), color, noun))
        return Fact('upper+inner', 'wear', f'{start} {how} {under}', 1.0)
    pattern = words.pattern
    if pattern == 'print' and shows(image, Part.PRINT):
        what = choose(rng, ('print', 'logo', 'graphic', 'design'))
        where = choose(rng, (' on the chest', ' on the front', ''))
        phrase = with_article(join(color, noun)) + f' with a {second} {what}{where}'
        return Fact('upper+print', 'wear', phrase, 1.0)
    if pattern in ('plain', 'print'):
        return Fact('upper', 'wear', with_article(join(color, noun)), 1.0)
    # Two vague colors would say nothing: patterns name theirs.
    color = color_phrase(rng, words.upper_color, 0.0)
    phrase = _patterned(pattern, noun, color, second, rng)
    return Fact('upper', 'wear', phrase, 1.0)


def _lower(image: PersonImage, rng: np.random.Generator, hedging: float) -> Fact:
    words = image.person.words
    noun = choose(rng, GARMENTS[words.lower])
    phrase = join(color_phrase(rng, words.lower_color, hedging), noun)
    if words.lower in PLURAL:
        pair = choose(rng, ('', '', 'a pair of '))
        return Fact('lower', 'wear', pair + phrase, 0.97)
    return Fact('lower', 'wear', with_article(phrase), 0.97)


def _hair(image: PersonImage, rng: np.random.Generator, hedging: float) -> Fact | None:
    words = image.person.words
    if words.hair == 'bald':
        if shows(image, Part.FACE) and words.hat == 'none':
            phrase = choose(rng, ('a bald head', 'a shaved head'))
            return Fact('bald', 'have', phrase, 0.7)
        return None
    if not shows(image, Part.HAIR):
        return None
    color = color_phrase(rng, words.hair_color, hedging)
    if words.hair == 'short':
        return Fact('hair', 'have', join('short', color, 'hair'), 0.55)
    if words.hair == 'medium':
        forms = ('shoulder-length', 'medium-length', 'chin-length')
        return Fact('hair', 'have', join(choose(rng, forms), color, 'hair'), 0.6)
    if words.hair == 'long':
        return Fact('hair', 'have', join('long', color, 'hair'), 0.65)
    if image.view == 'front' or words.hat != 'none':
        return Fact('hair', 'have', join(color, 'hair'), 0.4)
    tied = {'ponytail': 'in a ponytail', 'bun': 'up in a bun'}[words.hair]
    how = choose(rng, ('tied', 'pulled'))
    return Fact('hair', 'have', join(color, 'hair', how, tied), 0.7)


def _bag(image: PersonImage, rng: np.random.Generator, hedging: float) -> Fact | None:
    words = image.person.words
    if words.bag == 'none':
        return None
    color = color_phrase(rng, words.bag_color, hedging)
    if shows(image, Part.BAG):
        if words.bag == 'backpack':
            noun = with_article(join(color, choose(rng, ('backpack', 'rucksack'))))
            where = ' on the back' if image.view == 'back' else ''
            return Fact('bag', 'carry', noun + choose(rng, ('', where)), 0.9)
        if words.bag == 'shoulder bag':
            noun = choose(rng, ('shoulder bag', 'crossbody bag', 'messenger bag'))
            return Fact('bag', 'carry', with_article(join(color, noun)), 0.9)
        noun = choose(rng, ('handbag', 'hand bag', 'bag in the hand'))
        return Fact('bag', 'carry', with_article(join(color, noun)), 0.9)
    if not shows(image, Part.STRAP):
        return None
    if words.bag == 'backpack':
        straps = join(color, choose(rng, ('backpack straps', 'bag straps')))
        return Fact('strap', 'have', straps + ' over the shoulders', 0.8)
    return Fact(
        'strap', 'have', with_article(join(color, 'strap across the body')), 0.7
    )


def visible_facts(
    image: PersonImage, rng: np.random.Generator, hedging: float
) -> list[Fact]:
    """Everything worth saying of an image, clothes first.

    Args:
        image: What was rendered; its part map decides.
        rng: Source of randomness for the wording.
        hedging: Probability of a vague color.
    """
    words = image.person.words
    facts: list[Fact | None] = []
    if shows(image, Part.UPPER):
        facts.append(_upper(image, rng, hedging))
    if shows(image, Part.LOWER):
        facts.append(_lower(image, rng, hedging))
    facts += [_hair(image, rng, hedging), _bag(image, rng, hedging)]
    if words.hat != 'none' and shows(image, Part.HAT):
        noun = {'cap': ('cap', 'baseball cap'), 'beanie': ('beanie', 'knit hat')}
        color = color_phrase(rng, words.hat_color, hedging)
        phrase = with_article(join(color, choose(rng, noun[words.hat])))
        facts.append(Fact('hat', 'wear', phrase, 0.85))
    if words.glasses != 'none' and shows(image, Part.GLASSES):
        facts.append(Fact('glasses', 'wear', words.glasses, 0.7))
    if shows(image, Part.SHOES):
        color = color_phrase(rng, words.shoe_color, hedging)
        phrase = join(color, choose(rng, GARMENTS[words.shoes]))
        facts.append(Fact('shoes', 'wear', phrase, 0.75))
    return [fact for fact in facts if fact is not None]

"""Captions: sentences composed of the facts that an image shows."""

from dataclasses import dataclass

import numpy as np

from ..difficulty import Difficulty
from ..person_image import PersonImage
from ..randomness import Stream, random_stream
from .phrases import SUBJECTS, choose, join_list
from .visible_facts import Fact, visible_facts

MIN_WORDS, MAX_WORDS = 15, 40

# Caption wording is data: every dataset and checkpoint made so far depends on it.
_CLOTHES = {'upper', 'upper+print', 'upper+inner', 'lower'}
_PRONOUN = {'man': 'he', 'woman': 'she'}
_VIEWS = {
    'front': ('facing the camera', 'coming towards the camera', 'seen from the front'),
    'back': ('seen from behind', 'facing away from the camera', 'with the back turned'),
    'side': ('seen from the side', 'turned to one side', 'in profile'),
}
_FILLERS = (
    'The rest of the picture is hard to make out.',
    'Only a part of the person can be seen in this picture.',
    'Nothing else about this person stands out.',
)


@dataclass(frozen=True)
class Caption:
    """A caption and the topics it mentions.

    Args:
        text: 15 to 40 words.
        topics: Names of :attr:`~.visible_facts.Fact.topic`.
    """

    text: str
    topics: tuple[str, ...]


def count_words(text: str) -> int:
    """Return the number of words separated by spaces."""
    return len(text.split())


def _allows_dressed_in(facts: list[Fact]) -> bool:
    """Return whether "dressed in" suits all that is worn, unlike glasses or hats."""
    worn = {fact.topic for fact in facts if fact.verb == 'wear'}
    return bool(worn & _CLOTHES) and worn <= _CLOTHES | {'shoes'}


def _predicates(facts: list[Fact], rng: np.random.Generator) -> list[str]:
    """Return one predicate in the third person for each verb."""
    verbs = {
        'wear': ('is wearing', 'wears', 'is dressed in', 'has on'),
        'have': ('has',),
        'carry': ('is carrying', 'carries', 'has'),
    }
    clauses = []
    for verb in dict.fromkeys(fact.verb for fact in facts):
        phrases = [fact.phrase for fact in facts if fact.verb == verb]
        options = verbs[verb]
        if verb == 'wear' and not _allows_dressed_in(facts):
            options = tuple(o for o in options if o != 'is dressed in')
        clauses.append(f'{choose(rng, options)} {join_list(phrases)}')
    return clauses


def _opening(
    subject: str, facts: list[Fact], view: str, rng: np.random.Generator
) -> str:
    """Return the first sentence, which introduces the subject."""
    worn = [fact.phrase for fact in facts if fact.verb == 'wear']
    other = [fact.phrase for fact in facts if fact.verb != 'wear']
    article = choose(rng, ('a', 'a', 'the', 'this'))
    start = f'{article} {subject}'
    if view:
        start += f', {view},' if rng.random() < 0.5 else f' {view}'
    if other and worn and rng.random() < 0.6:
        start += f' with {join_list(other)}'
        other = []
    if worn:
        verbs = ('is wearing', 'wears', 'wearing', 'in', 'is dressed in')
        dressed = _allows_dressed_in(facts)
        start += f' {choose(rng, verbs[: 5 if dressed else 3])} {join_list(worn)}'
    if other:
        start += f'{", with" if worn else " has"} {join_list(other)}'
    return start.replace(',,', ',') + '.'


def _compose(
    image: PersonImage, facts: list[Fact], rng: np.random.Generator, hedging: float
) -> str:
    """Arrange facts in one to three sentences."""
    gender = image.person.attributes.gender
    vague = rng.random() < hedging
    subject = 'person' if vague else choose(rng, SUBJECTS[gender])
    pronoun = 'they' if vague else _PRONOUN[gender]
    view = choose(rng, _VIEWS[image.view]) if rng.random() < 0.2 else ''
    if rng.random() < 0.5:
        facts = [facts[i] for i in rng.permutation(len(facts))]
    split = int(rng.integers(1, 4)) if len(facts) > 2 else len(facts)
    sentences = [_opening(subject, facts[:split], view, rng)]
    rest = facts[split:]
    if rest:
        clauses = _predicates(rest, rng)
        who = choose(rng, (pronoun, pronoun, f'the {subject}'))
        if who == 'they':
            who = 'the person'
        if rng.random() < 0.25 and clauses[0].startswith('has '):
            clauses[0] = 'appears to have ' + clauses[0][4:]
        elif rng.random() < 0.15 and clauses[0].startswith('is '):
            clauses[0] = 'appears to be ' + clauses[0][3:]
        sentences.append(f'{who} {join_list(clauses)}.')
    if image.walking and rng.random() < 0.12:
        who = pronoun if pronoun != 'they' else 'the person'
        sentences.append(f'{who} is walking.')
    return ' '.join(s[0].upper() + s[1:] for s in sentences)


def _lengthen(
    text: str,
    image: PersonImage,
    kept: list[Fact],
    omitted: list[Fact],
    filler_index: int,
) -> tuple[str, list[Fact]]:
    """Append omitted facts, then statements that always hold, up to MIN_WORDS."""
    kept, omitted = list(kept), list(omitted)
    verbs = {'wear': 'is also wearing', 'have': 'has', 'carry': 'is carrying'}
    who = _PRONOUN[image.person.attributes.gender].capitalize()
    while count_words(text) < MIN_WORDS and omitted:
        fact = omitted.pop(0)
        kept.append(fact)
        text += f' {who} {verbs[fact.verb]} {fact.phrase}.'
    view = _VIEWS[image.view][-1 if image.view == 'front' else 0]
    extra = [f'In this picture {who.lower()} is {view}.', _FILLERS[filler_index % 3]]
    while count_words(text) < MIN_WORDS and extra:
        text += ' ' + extra.pop(0)
    return text, kept


def make_caption(
    image: PersonImage,
    seed: int,
    image_index: int,
    caption_index: int,
    difficulty: Difficulty,
) -> Caption:
    """Write a caption of an image.

    Args:
        image: The rendered image.
        seed: Seed of the dataset.
        image_index: Index of the image among those of its identity.
        caption_index: Index of the caption among those of the image, from 0.
        difficulty: Gives the probabilities of omission and hedging.

    Example:
        >>> from hplreid.synthpeds import Difficulty
        >>> from hplreid.synthpeds.captions import make_caption
        >>> from hplreid.synthpeds.person_image import make_image
        >>> image = make_image(0, 1, 0, Difficulty(), size=(32, 16))
        >>> make_caption(image, 0, 0, 0, Difficulty()).text
        'A person facing the camera with chin-length brown hair is dressed in...'
    """
    rng = random_stream(
        seed, Stream.CAPTION, image.person.identity_number, image_index, caption_index
    )
    facts = visible_facts(image, rng, difficulty.hedging)
    omission = difficulty.omission
    kept = [
        f for f in facts if rng.random() > min(1.0, omission * (1 - f.weight) * 3.5)
    ]
    omitted = [fact for fact in facts if fact not in kept]
    text = _compose(image, kept, rng, difficulty.hedging)
    while count_words(text) > MAX_WORDS and len(kept) > 1:
        kept = kept[:-1]
        text = _compose(image, kept, rng, difficulty.hedging)
    text, kept = _lengthen(text, image, kept, omitted, image_index + caption_index)
    if rng.random() < 0.2:
        text = text.lower()
    if rng.random() < 0.1:
        text = text.rstrip('.')
    return Caption(text, tuple(fact.topic for fact in kept))

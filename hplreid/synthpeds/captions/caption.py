"""Captions: sentences about the facts that an image shows."""

from dataclasses import dataclass

import numpy as np

from ..difficulty import Difficulty
from ..person_image import PersonImage
from ..randomness import Stream, stream
from .phrases import SUBJECTS, choose, listed
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
    """A caption and the topics it speaks of.

    Args:
        text: 15 to 40 words.
        topics: Names of :attr:`~.facts.Fact.topic`.
    """

    text: str
    topics: tuple[str, ...]


def count_words(text: str) -> int:
    """Words as separated by spaces."""
    return len(text.split())


def _dressed(facts: list[Fact]) -> bool:
    """Whether "dressed in" suits what is worn: nobody is dressed in glasses."""
    worn = {fact.topic for fact in facts if fact.verb == 'wear'}
    return bool(worn & _CLOTHES) and worn <= _CLOTHES | {'shoes'}


def _clause(facts: list[Fact], rng: np.random.Generator) -> list[str]:
    """Predicates in the third person, one a verb."""
    verbs = {
        'wear': ('is wearing', 'wears', 'is dressed in', 'has on'),
        'have': ('has',),
        'carry': ('is carrying', 'carries', 'has'),
    }
    clauses = []
    for verb in dict.fromkeys(fact.verb for fact in facts):
        phrases = [fact.phrase for fact in facts if fact.verb == verb]
        options = verbs[verb]
        if verb == 'wear' and not _dressed(facts):
            options = tuple(o for o in options if o != 'is dressed in')
        clauses.append(f'{choose(rng, options)} {listed(phrases)}')
    return clauses


def _opening(
    subject: str, facts: list[Fact], view: str, rng: np.random.Generator
) -> str:
    worn = [fact.phrase for fact in facts if fact.verb == 'wear']
    other = [fact.phrase for fact in facts if fact.verb != 'wear']
    article = choose(rng, ('a', 'a', 'the', 'this'))
    start = f'{article} {subject}'
    if view:
        start += f', {view},' if rng.random() < 0.5 else f' {view}'
    if other and worn and rng.random() < 0.6:
        start += f' with {listed(other)}'
        other = []
    if worn:
        verbs = ('is wearing', 'wears', 'wearing', 'in', 'is dressed in')
        dressed = _dressed(facts)
        start += f' {choose(rng, verbs[: 5 if dressed else 3])} {listed(worn)}'
    if other:
        start += f'{", with" if worn else " has"} {listed(other)}'
    return start.replace(',,', ',') + '.'


def _compose(
    image: PersonImage, facts: list[Fact], rng: np.random.Generator, hedging: float
) -> str:
    """Arrange facts in two or three sentences."""
    gender = image.person.words.gender
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
        clauses = _clause(rest, rng)
        who = choose(rng, (pronoun, pronoun, f'the {subject}'))
        if who == 'they':
            who = 'the person'
        if rng.random() < 0.25 and clauses[0].startswith('has '):
            clauses[0] = 'appears to have ' + clauses[0][4:]
        elif rng.random() < 0.15 and clauses[0].startswith('is '):
            clauses[0] = 'appears to be ' + clauses[0][3:]
        sentences.append(f'{who} {listed(clauses)}.')
    if image.walking and rng.random() < 0.12:
        who = pronoun if pronoun != 'they' else 'the person'
        sentences.append(f'{who} is walking.')
    return ' '.join(s[0].upper() + s[1:] for s in sentences)


def _lengthened(
    text: str, image: PersonImage, kept: list[Fact], spare: list[Fact], index: int
) -> tuple[str, list[Fact]]:
    """Add what was left out, then what is always true, until long enough."""
    kept, spare = list(kept), list(spare)
    verbs = {'wear': 'is also wearing', 'have': 'has', 'carry': 'is carrying'}
    who = _PRONOUN[image.person.words.gender].capitalize()
    while count_words(text) < MIN_WORDS and spare:
        fact = spare.pop(0)
        kept.append(fact)
        text += f' {who} {verbs[fact.verb]} {fact.phrase}.'
    view = _VIEWS[image.view][-1 if image.view == 'front' else 0]
    extra = [f'In this picture {who.lower()} is {view}.', _FILLERS[index % 3]]
    while count_words(text) < MIN_WORDS and extra:
        text += ' ' + extra.pop(0)
    return text, kept


def make_caption(
    image: PersonImage, seed: int, index: int, which: int, difficulty: Difficulty
) -> Caption:
    """Describe an image in words.

    Args:
        image: The rendered image.
        seed: Seed of the dataset.
        index: Number of the image of its identity.
        which: Number of the caption of the image, from 0.
        difficulty: Gives the rates of omission and hedging.
    """
    rng = stream(seed, Stream.CAPTION, image.person.number, index, which)
    facts = visible_facts(image, rng, difficulty.hedging)
    loss = difficulty.omission
    kept = [
        f for f in facts if rng.random() > min(1.0, loss * (1 - f.weight) * 3.5)
    ]  # fmt: skip
    spare = [fact for fact in facts if fact not in kept]
    text = _compose(image, kept, rng, difficulty.hedging)
    while count_words(text) > MAX_WORDS and len(kept) > 1:
        kept = kept[:-1]
        text = _compose(image, kept, rng, difficulty.hedging)
    text, kept = _lengthened(text, image, kept, spare, index + which)
    if rng.random() < 0.2:
        text = text.lower()
    if rng.random() < 0.1:
        text = text.rstrip('.')
    return Caption(text, tuple(fact.topic for fact in kept))

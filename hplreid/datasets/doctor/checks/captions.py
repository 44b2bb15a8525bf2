"""Captions: how long they are, and whether they tell people apart."""

from collections.abc import Mapping, Sequence

from ...transforms.caption_tokens import CONTEXT_LENGTH, get_tokenizer
from ..finding import Finding, found
from ..split_reader import Split

_SHOWN = 60  # characters of a caption


def count_tokens(captions: Sequence[str]) -> dict[str, int]:
    """Return the number of CLIP's tokens of each caption, start and end included."""
    encode = get_tokenizer().encode
    return {caption: len(encode(caption)) + 2 for caption in captions}


def check_captions(split: Split, tokens: Mapping[str, int]) -> list[Finding]:
    """Find captions that are cut, and those that stand for several people.

    Args:
        split: The split.
        tokens: Length of each caption, see :func:`count_tokens`.
    """
    people: dict[str, set[int]] = {}
    for item in split.items:
        if item['caption'] is not None:
            people.setdefault(item['caption'], set()).add(item['pid'])
    long = [text for text in people if tokens[text] > CONTEXT_LENGTH]
    shared = [text for text, pids in people.items() if len(pids) > 1]
    return found(
        'warning',
        'long caption',
        split.name,
        [f"{tokens[text]} tokens: '{_shorten(text)}'" for text in long],
        f'longer than {CONTEXT_LENGTH} tokens, start and end included: the rest is cut',
        'Shorten them, if what tells people apart comes last.',
    ) + found(
        'warning',
        'shared caption',
        split.name,
        [f"{len(people[text])} identities: '{_shorten(text)}'" for text in shared],
        'the same words are said of different people',
        'Look whether they were copied; no search by words can tell these apart.',
    )


def _shorten(text: str) -> str:
    return text if len(text) <= _SHOWN else f'{text[:_SHOWN]}...'

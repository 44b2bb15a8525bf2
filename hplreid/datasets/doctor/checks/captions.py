"""Checks for captions that are truncated or shared by several identities."""

from collections import Counter
from collections.abc import Mapping, Sequence

from ...transforms.caption_tokens import CONTEXT_LENGTH
from ...transforms.caption_tokens import count_tokens as count_of_one
from ..finding import Finding, make_findings
from ..split_reader import Split

_MAX_CHARACTERS = 60  # of a caption in the report


def count_tokens(captions: Sequence[str]) -> dict[str, int]:
    """Return the number of CLIP tokens of each caption, including start and end.

    Example:
        >>> count_tokens(['a red shirt'])
        {'a red shirt': 5}
    """
    return {caption: count_of_one(caption) for caption in captions}


def check_captions(split: Split, tokens: Mapping[str, int]) -> list[Finding]:
    """Find captions that are truncated, and those shared by several identities.

    Args:
        split: The split.
        tokens: Number of tokens of each caption, see :func:`count_tokens`.
    """
    pids_of: dict[str, set[int]] = {}
    times = Counter(
        (i['caption'], i['pid']) for i in split.items if i['split'] == 'query'
    )
    for item in split.items:
        if item['caption'] is not None:
            pids_of.setdefault(item['caption'], set()).add(item['pid'])
    twice = {
        text: count
        for (text, _), count in times.items()
        if text is not None and count > 1
    }
    long = [text for text in pids_of if tokens[text] > CONTEXT_LENGTH]
    shared = [text for text, pids in pids_of.items() if len(pids) > 1]
    return (
        make_findings(
            'warning',
            'long caption',
            split.name,
            [f"{tokens[text]} tokens: '{_shorten(text)}'" for text in long],
            f'longer than {CONTEXT_LENGTH} tokens including start and end: truncated',
            'Shorten them if the distinctive words come last.',
        )
        + make_findings(
            'warning',
            'shared caption',
            split.name,
            [f"{len(pids_of[text])} identities: '{_shorten(text)}'" for text in shared],
            'the same caption describes different identities',
            'Check whether it was copied; text queries cannot tell them apart.',
        )
        + make_findings(
            'warning',
            'caption twice',
            split.name,
            [f"{count} times: '{_shorten(text)}'" for text, count in twice.items()],
            'the same caption of the same identity is a query more than once',
            'Check whether the annotation was merged with itself: each counts again.',
        )
    )


def _shorten(text: str) -> str:
    return text if len(text) <= _MAX_CHARACTERS else f'{text[:_MAX_CHARACTERS]}...'

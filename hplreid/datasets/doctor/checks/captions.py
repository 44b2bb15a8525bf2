"""Checks for captions that are truncated or shared by several identities."""

from collections.abc import Mapping, Sequence

from ...transforms.caption_tokens import CONTEXT_LENGTH, get_tokenizer
from ..finding import Finding, make_findings
from ..split_reader import Split

_MAX_CHARACTERS = 60  # of a caption in the report


def count_tokens(captions: Sequence[str]) -> dict[str, int]:
    """Return the number of CLIP tokens of each caption, including start and end.

    Example:
        >>> count_tokens(['a red shirt'])
        {'a red shirt': 5}
    """
    encode = get_tokenizer().encode
    return {caption: len(encode(caption)) + 2 for caption in captions}


def check_captions(split: Split, tokens: Mapping[str, int]) -> list[Finding]:
    """Find captions that are truncated, and those shared by several identities.

    Args:
        split: The split.
        tokens: Number of tokens of each caption, see :func:`count_tokens`.
    """
    pids_of: dict[str, set[int]] = {}
    for item in split.items:
        if item['caption'] is not None:
            pids_of.setdefault(item['caption'], set()).add(item['pid'])
    long = [text for text in pids_of if tokens[text] > CONTEXT_LENGTH]
    shared = [text for text, pids in pids_of.items() if len(pids) > 1]
    return make_findings(
        'warning',
        'long caption',
        split.name,
        [f"{tokens[text]} tokens: '{_shorten(text)}'" for text in long],
        f'longer than {CONTEXT_LENGTH} tokens including start and end: truncated',
        'Shorten them if the distinctive words come last.',
    ) + make_findings(
        'warning',
        'shared caption',
        split.name,
        [f"{len(pids_of[text])} identities: '{_shorten(text)}'" for text in shared],
        'the same caption describes different identities',
        'Check whether it was copied; text queries cannot tell these identities apart.',
    )


def _shorten(text: str) -> str:
    return text if len(text) <= _MAX_CHARACTERS else f'{text[:_MAX_CHARACTERS]}...'

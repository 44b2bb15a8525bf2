"""Tokenizing captions, and masking some of the tokens."""

import logging
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from hplreid.registry import TRANSFORMS
from hplreid.utils.log import log

from ..items import Item
from .image_transform import check_probability

if TYPE_CHECKING:
    from open_clip.tokenizer import SimpleTokenizer

CONTEXT_LENGTH = 77
MASK_ID = 49405
"""Id that stands for a masked token. CLIP's vocabulary has none to spare: this is its
last merge, which captions practically never use, and the one IRRA gives up for it. The
ids of start (49406) and end (49407) of a text follow."""


@TRANSFORMS.register_module()
class TokenizeCaption:
    """Turn the caption of an item into CLIP's tokens; images pass through.

    Args:
        context_length: Tokens of a text, start and end included. A longer one is cut,
            and its last token is the end.

    Raises:
        ValueError: ``context_length`` leaves no room for a word.
    """

    def __init__(self, context_length: int = CONTEXT_LENGTH) -> None:
        if context_length < 3:
            raise ValueError(
                'context_length must leave room for start, a word and end, got '
                f'{context_length}.'
            )
        self.context_length = context_length

    def check_items(self, items: Sequence[Item]) -> None:
        """Say once, when a split is read, how many of its captions will be cut."""
        captions = {i['caption']: None for i in items if i['caption'] is not None}
        # A token has one byte at least
        long = [c for c in captions if len(c.encode()) + 2 > self.context_length]
        most = self.context_length
        cut = {c: n for c in long if (n := count_tokens(c)) > most}
        if cut:
            split = f"{items[0].get('source')}, split '{items[0].get('split')}'"
            log(
                f'{split}: {len(cut):,} of {len(captions):,} different captions are '
                f'longer than {most} tokens, start and end included, and are cut, by '
                f'{max(cut.values()) - most} at most; the end of text stays.',
                level=logging.WARNING,
            )

    def __call__(self, item: Item) -> Item:
        """Set ``tokens``, int64 ``(context_length,)``, zeros after the end."""
        if item['caption'] is not None:
            tokenizer = get_tokenizer()
            item['tokens'] = tokenizer(item['caption'], self.context_length)[0]
        return item


@lru_cache
def get_tokenizer() -> 'SimpleTokenizer':
    """Return CLIP's tokenizer; it comes with open_clip and is built once a process."""
    from open_clip.tokenizer import SimpleTokenizer

    return SimpleTokenizer()


def count_tokens(caption: str) -> int:
    """Count the tokens of a caption, start and end included.

    Example:
        >>> count_tokens('a red shirt')
        5
    """
    if caption.isascii() and caption.isprintable() and '&' not in caption:
        # Cleaning leaves such a text as it is, and no token spans a space: words are
        # looked up, in a tenth of the time
        return 2 + sum(map(_count_word, caption.lower().split()))
    return 2 + len(get_tokenizer().encode(caption))


@lru_cache(maxsize=1 << 17)
def _count_word(word: str) -> int:
    return len(get_tokenizer().encode(word))


def decode_tokens(tokens: Tensor) -> list[str]:
    """Return the text of each token between start and end.

    The last token of a word ends in a space; a masked one is ``'[mask] '``.

    Args:
        tokens: A caption, int64 ``(L,)``.
    """
    words = [i for i in tokens.tolist() if 0 < i <= MASK_ID]
    decode = get_tokenizer().decode
    return ['[mask] ' if i == MASK_ID else decode([i]) for i in words]


@TRANSFORMS.register_module()
class MaskCaption:
    """Mask some tokens of a caption; see :func:`mask_tokens`.

    IRRA (https://arxiv.org/abs/2303.12501) predicts what was masked, and there are two
    readings of what its other losses see. In its released code, whose numbers are
    published, they see the masked caption too, which so becomes an augmentation; in its
    paper they see the whole caption.

    Args:
        prob: How probably a token is selected; 0 selects none.
        replace: Whether the masked caption takes the caption's place (the code), or
            only stands beside it, for a loss that predicts words (the paper).
    """

    def __init__(self, prob: float = 0.15, replace: bool = True) -> None:
        self.prob = check_probability(prob, 'prob')
        self.replace = replace

    def __call__(self, item: Item) -> Item:
        """Set ``masking``, int64 ``(2, L)``: the masked caption, and what was there.

        The second row has the selected tokens as they were, and zeros elsewhere.
        """
        tokens = item.get('tokens')
        if tokens is not None:
            masked, labels = tokens, torch.zeros_like(tokens)
            if self.prob > 0:
                masked, labels = mask_tokens(tokens, self.prob)
            item['masking'] = torch.stack([masked, labels])
            if self.replace:
                item['tokens'] = masked
        return item


def mask_tokens(tokens: Tensor, prob: float) -> tuple[Tensor, Tensor]:
    """Select tokens by chance; mask 80 % of them, exchange 10 %, keep 10 %.

    Start, end and padding are never selected. If chance selects none, the first token
    after the start is masked. The masking of IRRA (https://arxiv.org/abs/2303.12501).

    Args:
        tokens: A caption, int64 ``(L,)``.
        prob: How probably a token is selected.

    Returns:
        The masked caption, and the selected tokens as they were, zeros elsewhere; both
        ``(L,)``.
    """
    words = (tokens > 0) & (tokens < MASK_ID)
    selected = words & (torch.rand(tokens.shape) < prob)
    what = torch.rand(tokens.shape)
    others = torch.randint(1, MASK_ID, tokens.shape)
    masked = torch.where(selected & (what < 0.8), MASK_ID, tokens)
    masked = torch.where(selected & (what >= 0.8) & (what < 0.9), others, masked)
    if not selected.any() and words.any():
        selected[1], masked[1] = True, MASK_ID
    return masked, torch.where(selected, tokens, 0)

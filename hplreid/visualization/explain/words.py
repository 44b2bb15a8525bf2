"""Words of captions: which tokens each has, and what it adds to a caption's feature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from hplreid.datasets.transforms.caption_tokens import (
    CONTEXT_LENGTH,
    count_tokens,
    decode_tokens,
    get_tokenizer,
)
from hplreid.models.reid.image_reid import ImageReID

from .errors import ExplainError
from .explainer import check_captions
from .recording import record_attention


@dataclass(frozen=True)
class Word:
    """A word, a sign, or several words, of a caption.

    Attributes:
        text: As the tokenizer reads it, in lower case.
        start: Its first token's place; the start of text is at 0.
        stop: The place after its last token.
    """

    text: str
    start: int
    stop: int


def tokenize_caption(caption: str, context_length: int = CONTEXT_LENGTH) -> Tensor:
    """Return the tokens of a caption, ``(L,)`` int64, without padding.

    Args:
        caption: The caption.
        context_length: The most tokens, start and end included.

    Raises:
        ExplainError: It is empty, or longer: a test would cut it, and what is cut has
            no relevance.

    Example:
        >>> tokenize_caption('a red shirt').tolist()
        [49406, 320, 736, 2523, 49407]
    """
    count = count_tokens(caption)
    if count > context_length:
        raise ExplainError(
            f'The caption has {count} tokens, start and end included; the text tower '
            f'reads {context_length}. Cut it by {count - context_length}: "{caption}"'
        )
    if count < 3:
        raise ExplainError('The caption is empty: there is no word to explain.')
    return get_tokenizer()(caption, context_length)[0, :count]


def split_words(tokens: Tensor) -> list[Word]:
    """Return the words of a caption.

    Args:
        tokens: Int64 ``(L,)``, start first.

    Example:
        >>> tokens = tokenize_caption('Bluejeans, a T-shirt')
        >>> [word.text for word in split_words(tokens)]
        ['bluejeans', ',', 'a', 't', '-', 'shirt']
    """
    words: list[Word] = []
    text, start = '', 1
    for place, piece in enumerate(decode_tokens(tokens), start=1):
        text += piece
        if piece.endswith(' '):
            words.append(Word(text.strip(), start, place + 1))
            text, start = '', place + 1
    if text:
        words.append(Word(text, start, start + 1))
    return words


def find_phrase(words: Sequence[Word], text: str) -> Word:
    """Return a word of a caption, or several that follow each other, as one.

    Args:
        words: Of the caption.
        text: The word or words, in any case.

    Raises:
        ExplainError: The caption doesn't have them.

    Example:
        >>> words = split_words(tokenize_caption('A red T-shirt and jeans'))
        >>> find_phrase(words, 'red t-shirt')
        Word(text='red t-shirt', start=2, stop=6)
    """
    wanted = [word.text for word in split_words(tokenize_caption(text))]
    for place in range(len(words) - len(wanted) + 1):
        run = words[place : place + len(wanted)]
        if [word.text for word in run] == wanted:
            return Word(text.lower(), run[0].start, run[-1].stop)
    raise ExplainError(
        f"The caption has no '{text}': expected a word of it, or some that follow each "
        f'other, of {", ".join(dict.fromkeys(word.text for word in words))}.'
    )


def sum_words(shares: Tensor, words: Sequence[Word]) -> list[float]:
    """Return the shares of words, given those of tokens ``(L,)``.

    Example:
        >>> sum_words(torch.tensor([0.0, 0.1, 0.2, 0.7, 0.0]), [Word('a', 1, 3)])
        [0.30...]
    """
    return [float(shares[word.start : word.stop].sum()) for word in words]


def word_directions(model: ImageReID, tokens: Tensor, words: Sequence[Word]) -> Tensor:
    """Return what each word adds to the feature of its caption.

    ``t / |t| - t' / |t'|``, with ``t'`` of the caption without the word: how far the
    feature of an image goes in this direction is what the word adds to their cosine.

    Args:
        model: A method with captions.
        tokens: Of the caption, int64 ``(L,)``.
        words: Some words or phrases of it.

    Returns:
        ``(W, d)``.

    Raises:
        ExplainError: The method has no captions.

    Example:
        >>> from mmengine.registry import init_default_scope
        >>> from hplreid.registry import MODELS
        >>> init_default_scope('hplreid')
        >>> tower = dict(type='CLIPImageEncoder', arch='ViT-Ti-16-synthpeds')
        >>> tower['img_size'] = (64, 32)
        >>> text = dict(type='CLIPTextEncoder')
        >>> model = MODELS.build(
        ...     dict(type='DualEncoder', image_encoder=tower, text_encoder=text)
        ... )
        >>> tokens = tokenize_caption('a red shirt')
        >>> word_directions(model, tokens, split_words(tokens)).shape
        torch.Size([3, 128])
    """
    model = check_captions(model)
    rows = [tokens]
    for word in words:
        rest = torch.cat([tokens[: word.start], tokens[word.stop :]])
        rows.append(F.pad(rest, (0, len(tokens) - len(rest))))
    with record_attention(model), torch.no_grad():
        encoded = model.text_encoder(torch.stack(rows), ('t',))['t']
    whole, *without = F.normalize(encoded, dim=1).split(1)
    return whole - torch.cat(without) if without else whole[:0]

"""Words of captions and what they add."""

import pytest
import torch
import torch.nn.functional as F

from hplreid.visualization.explain import (
    ExplainError,
    Word,
    find_phrase,
    split_words,
    sum_words,
    tokenize_caption,
    word_directions,
)

from .explain_models import build_dual

CAPTION = 'A man in a navy-blue T-shirt, turquoiseish jeans.'


def test_words_cover_all_tokens_between_start_and_end():
    tokens = tokenize_caption(CAPTION)
    words = split_words(tokens)
    assert [word.text for word in words] == [
        *('a', 'man', 'in', 'a', 'navy', '-', 'blue', 't', '-', 'shirt', ','),
        *('turquoiseish', 'jeans', '.'),
    ]
    covered = [place for word in words for place in range(word.start, word.stop)]
    assert covered == list(range(1, len(tokens) - 1))
    assert words[-3].stop - words[-3].start > 1  # several tokens
    shares = torch.rand(len(tokens))
    expected = sum(float(shares[i]) for i in range(words[-3].start, words[-3].stop))
    assert sum_words(shares, words)[-3] == pytest.approx(expected)


def test_padding_is_no_word():
    tokens = F.pad(tokenize_caption('a red shirt'), (0, 4))
    assert [word.text for word in split_words(tokens)] == ['a', 'red', 'shirt']


def test_a_caption_that_would_be_cut_is_refused():
    fits = ' '.join(['red'] * 75)
    assert len(tokenize_caption(fits)) == 77
    with pytest.raises(ExplainError, match=r'has 78 tokens.* reads 77. Cut it by 1'):
        tokenize_caption(f'{fits} coat')
    with pytest.raises(ExplainError, match='is empty'):
        tokenize_caption('  ')


def test_a_phrase_is_found_by_its_words():
    words = split_words(tokenize_caption(CAPTION))
    assert find_phrase(words, 'Navy-Blue t-shirt') == Word('navy-blue t-shirt', 5, 11)
    assert find_phrase(words, 'a').start == 1
    for text in ('green', 'man a', 'navy shirt'):
        with pytest.raises(ExplainError, match=f"The caption has no '{text}'"):
            find_phrase(words, text)


def test_a_words_direction_is_what_its_caption_loses():
    model = build_dual()
    tokens = tokenize_caption('a red shirt and jeans')
    words = split_words(tokens)
    found = word_directions(model, tokens, words[1:3])
    whole = model.text_encoder(tokens[None])['t']
    for text, direction in zip(
        ('a shirt and jeans', 'a red and jeans'), found, strict=True
    ):
        rest = model.text_encoder(tokenize_caption(text)[None])['t']
        expected = F.normalize(whole) - F.normalize(rest)
        torch.testing.assert_close(direction, expected[0].detach(), rtol=0, atol=1e-12)
    assert word_directions(model, tokens, []).shape == (0, 16)

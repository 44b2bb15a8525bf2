"""A prompt's template: fixed words around named slots."""

import re
from functools import lru_cache

import torch
from open_clip import get_tokenizer
from open_clip.tokenizer import SimpleTokenizer
from torch import Tensor, nn

_SLOT = re.compile(r'\{(\w+)\}')


@lru_cache(maxsize=1)
def clip_tokenizer() -> SimpleTokenizer:
    """Return CLIP's tokenizer (its vocabulary ships with open_clip)."""
    return get_tokenizer('ViT-B-16')


class PromptTemplate(nn.Module):
    """Embeddings of fixed words, joined with tokens that fill the slots.

    The words are looked up once and kept as buffers, so that a token table that is
    trained elsewhere doesn't move them.

    Args:
        text: Words and slots, ``'A photo of a {id} and {inst} person.'`` say.
        slots: Number of tokens of each slot, by name.
        token_table: Token embeddings, ``(vocabulary, D)``.
        context_length: Tokens that the prompt encoder can take.
        pad: Fill the prompt up to ``context_length``. The padding changes nothing
            before the EOT and costs as much as words do: for comparison only.

    Raises:
        ValueError: The template's slots are not those of ``slots``, or the prompt is
            longer than ``context_length``.
    """

    words_0: Tensor

    def __init__(
        self,
        text: str,
        slots: dict[str, int],
        token_table: Tensor,
        context_length: int = 77,
        pad: bool = False,
    ) -> None:
        super().__init__()
        named = _SLOT.findall(text)
        if sorted(named) != sorted(slots):
            raise ValueError(
                f"Template '{text}' has the slots {named}; expected {sorted(slots)}, "
                'each once.'
            )
        tokenizer = clip_tokenizer()
        pieces = _SLOT.split(text)  # words, slot, words, slot, ..., words
        words = [tokenizer.encode(piece) for piece in pieces[::2]]
        words[0] = [tokenizer.sot_token_id, *words[0]]
        words[-1] = [*words[-1], tokenizer.eot_token_id]
        self.slots = named
        self.length = sum(len(w) for w in words) + sum(slots.values())
        self.eot = self.length - 1
        if self.length > context_length:
            raise ValueError(
                f"Template '{text}' with {slots} makes {self.length} tokens; the "
                f'prompt encoder takes {context_length}.'
            )
        if pad:
            words[-1] += [0] * (context_length - self.length)
        for i, ids in enumerate(words):
            self.register_buffer(f'words_{i}', token_table.detach()[ids].clone())

    def forward(self, **fill: Tensor) -> Tensor:
        """Join the words with the slots' tokens.

        Args:
            **fill: Tokens of each slot, ``(N, m, D)``.

        Returns:
            Embeddings ``(N, L, D)``, cut after the EOT, which stands at ``self.eot``.
        """
        count = fill[self.slots[0]].shape[0]
        parts = [self.words_0.expand(count, -1, -1)]
        for i, slot in enumerate(self.slots, start=1):
            words: Tensor = getattr(self, f'words_{i}')
            parts += [fill[slot].to(words.dtype), words.expand(count, -1, -1)]
        return torch.cat(parts, dim=1)

"""IRRA's implicit relation reasoning: predict masked words from caption and image."""

from typing import Any

import torch
import torch.nn.functional as F
from open_clip.transformer import LayerNorm, QuickGELU, ResidualAttentionBlock
from torch import Tensor, nn

from hplreid.registry import NECKS
from hplreid.structures.feature_form import COSTS, IDS, PLACE, TOKENS
from hplreid.utils.argument_checks import check_count

from ..layers.full_precision import full_precision
from ..layers.residual_block import run_clip_block
from .base_neck import BaseNeck


class VocabularyHead(nn.Module):
    """Linear, QuickGELU, LayerNorm, and a linear layer to the words."""

    def __init__(self, channels: int, vocab_size: int) -> None:
        super().__init__()
        self.dense = nn.Linear(channels, channels)
        self.gelu = QuickGELU()
        self.ln = LayerNorm(channels)
        self.fc = nn.Linear(channels, vocab_size)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits ``(N, vocabulary)`` of ``(N, d)``."""
        return self.fc(self.ln(self.gelu(self.dense(x))))


@NECKS.register_module()
class ImplicitRelation(BaseNeck):
    """Masked captions attend to their images; a classifier predicts the masked words.

    The words attend to the image (no residual connection around it), then to each
    other in CLIP's blocks; a head says which word was masked. `IRRA
    <https://arxiv.org/abs/2303.12501>`_, section 3.2; 39.27 M parameters at CLIP's
    width of 512. It is for training alone: nothing that retrieval compares needs it.

    It makes no feature but, for each caption, the sum of the cross-entropies of its
    masked words and their number: :class:`MaskedLanguageHead` has the mean over the
    masked words of all processes from these. Sequences could not be gathered, since
    processes cut their captions at different lengths; logits are of 200 kB a word.

    IRRA's blocks attend to the padding behind a caption too, so that what they compute
    depends on where captions are cut: as published, it wants ``trim_captions=False``
    in the data preprocessor. With the place of the end of each caption (the feature
    ``eot``) as a fourth input the padding is hidden from them instead.

    Args:
        in_channels: d, width of both sequences.
        depth: Blocks after the cross-attention.
        num_heads: Attention heads, of which d is a multiple.
        vocab_size: Words to guess from. Defaults to CLIP's vocabulary.
        init_cfg: As for every MMEngine module. Defaults to None.

    Raises:
        ValueError: An argument isn't an integer above 0, or ``num_heads`` doesn't
            divide ``in_channels``.
    """

    takes = ((TOKENS,), (TOKENS,), (IDS,), (PLACE,))
    num_optional = 1
    makes = COSTS

    def __init__(
        self,
        in_channels: int,
        depth: int = 4,
        num_heads: int = 8,
        vocab_size: int = 49408,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        check_count('in_channels', in_channels)
        check_count('depth', depth)
        check_count('num_heads', num_heads)
        check_count('vocab_size', vocab_size)
        if in_channels % num_heads:
            raise ValueError(
                f'num_heads={num_heads}: expected a divisor of in_channels='
                f'{in_channels}.'
            )
        self.num_heads = num_heads
        self.out_channels = 2
        self.ln_pre_t = LayerNorm(in_channels)
        self.ln_pre_i = LayerNorm(in_channels)
        self.cross_attention = nn.MultiheadAttention(
            in_channels, num_heads, batch_first=True
        )
        self.cross_blocks = nn.ModuleList(
            ResidualAttentionBlock(in_channels, num_heads, act_layer=QuickGELU)
            for _ in range(depth)
        )
        self.ln_post = LayerNorm(in_channels)
        self.mlm_head = VocabularyHead(in_channels, vocab_size)
        self._init_parameters(in_channels, depth)

    def _init_parameters(self, width: int, depth: int) -> None:
        """CLIP's initialization: what adds to a residual stream is scaled by depth."""
        into_std = width**-0.5
        out_std = into_std * (2 * depth) ** -0.5
        hidden_std = (2 * width) ** -0.5
        blocks: list[Any] = list(self.cross_blocks)
        for attention in (self.cross_attention, *(block.attn for block in blocks)):
            nn.init.normal_(attention.in_proj_weight, std=into_std)
            nn.init.normal_(attention.out_proj.weight, std=out_std)
        for block in blocks:
            nn.init.normal_(block.mlp.c_fc.weight, std=hidden_std)
            nn.init.normal_(block.mlp.c_proj.weight, std=out_std)
        nn.init.normal_(self.mlm_head.dense.weight, std=hidden_std)
        nn.init.normal_(self.mlm_head.fc.weight, std=out_std)

    def relate(self, text: Tensor, image: Tensor, eot: Tensor | None = None) -> Tensor:
        """Return the words after attention to the image, ``(B_T, L, d)``.

        Args:
            text: Sequences of captions, ``(B_T, L, d)``.
            image: Sequences of their images, ``(B_T, 1 + N, d)``.
            eot: Place of each caption's end, ``(B_T,)``. Defaults to None: what
                follows it is not hidden.
        """
        image = self.ln_pre_i(image)
        query = self.ln_pre_t(text)
        x = self.cross_attention(query, image, image, need_weights=False)[0]
        seen = None
        if eot is not None:
            places = torch.arange(x.shape[1], device=eot.device)
            seen = (places <= eot.unsqueeze(1))[:, None, None]
        for block in self.cross_blocks:
            x = run_clip_block(block, x, mask=seen)
        return self.ln_post(x)

    def forward(
        self, text: Tensor, image: Tensor, labels: Tensor, eot: Tensor | None = None
    ) -> Tensor:
        """Predict the masked words.

        Args:
            text: Sequences of masked captions, ``(B_T, L, d)``.
            image: Sequences of their images, ``(B_T, 1 + N, d)``.
            labels: What was masked, ``(B_T, L)`` int64; 0 where nothing was.
            eot: See :meth:`relate`.

        Returns:
            ``(B_T, 2)``: of each caption the sum of the cross-entropies of its masked
            words, and their number.
        """
        x = self.relate(text, image, eot)
        # The host waits here for the number of masked words, once a step. It's worth
        # it: all words of 64 captions would be 0.8 GB of logits, a word in seven is not
        captions, places = labels.nonzero(as_tuple=True)
        logits = self.mlm_head(x[captions, places])
        return sum_costs(logits, labels[captions, places], captions, len(labels))


@full_precision
def sum_costs(
    logits: Tensor, words: Tensor, captions: Tensor, num_captions: int
) -> Tensor:
    """Return the summed cross-entropy and the number of guesses of each caption.

    Args:
        logits: ``(M, vocabulary)``, a row a guess.
        words: The right ones, ``(M,)`` int64.
        captions: The caption that each belongs to, ``(M,)`` int64.
        num_captions: B_T.

    Returns:
        ``(B_T, 2)``.
    """
    costs = F.cross_entropy(logits, words, reduction='none')
    both = torch.stack([costs, torch.ones_like(costs)], dim=1)
    return both.new_zeros(num_captions, 2).index_add(0, captions, both)

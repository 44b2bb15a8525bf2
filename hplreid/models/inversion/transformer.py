"""Inversion by transformer blocks: HPL's networks and their relatives."""

import torch
from torch import Tensor, nn

from hplreid.registry import INVERSIONS
from hplreid.utils.argument_checks import check_count, check_divides

from ..layers.residual_block import run_encoder_layer
from .base import BaseInversion, OutputProjection


class BlockInversion(BaseInversion):
    """Pre-norm blocks (MLP ratio 4, GELU, no dropout) and an output projection.

    Args:
        in_channels: d.
        out_channels: D.
        num_tokens: m.
        depth: Blocks, N_I; the paper has 4.
        num_heads: Attention heads.
        token_norm: Length of a pseudo-token to start at, see
            :class:`OutputProjection`.

    Raises:
        ValueError: ``depth`` or ``num_heads`` isn't an integer above 0, or
            ``num_heads`` doesn't divide ``in_channels``.
    """

    block_type: type[nn.Module] = nn.TransformerEncoderLayer

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        num_tokens: int = 4,
        depth: int = 4,
        num_heads: int = 8,
        token_norm: float | None = None,
    ) -> None:
        super().__init__(in_channels, out_channels, num_tokens)
        check_count('depth', depth)
        check_divides('num_heads', num_heads, in_channels)
        self.blocks = nn.ModuleList(
            self.block_type(
                in_channels,
                num_heads,
                dim_feedforward=4 * in_channels,
                dropout=0.0,
                activation='gelu',
                batch_first=True,
                norm_first=True,
            )
            for _ in range(depth)
        )
        self.output = OutputProjection(in_channels, out_channels, token_norm)

    def invert_first(
        self, first: Tensor, tokens: Tensor, padding: Tensor | None
    ) -> Tensor:
        """Run ``first`` ``(N, m, d)`` and the sequence; project its outputs."""
        x = torch.cat([first, tokens], dim=1)
        if padding is not None:
            seen = padding.new_zeros(first.shape[:2])
            padding = torch.cat([seen, padding], dim=1)
        return self.output(self.run_blocks(x, first.shape[1], padding))

    def run_blocks(self, x: Tensor, count: int, padding: Tensor | None) -> Tensor:
        """Return the outputs of the first ``count`` tokens, ``(N, count, d)``.

        Nothing reads the others': the last block computes only these, which changes
        nothing but rounding.
        """
        *blocks, last = self.blocks
        for block in blocks:
            x = run_encoder_layer(block, x, padding=padding)
        return run_encoder_layer(last, x, count, padding)


@INVERSIONS.register_module()
class QueryInversion(BlockInversion):
    """m learnable queries, prepended to the sequence, become the pseudo-tokens.

    The paper gives 4 ViT blocks and no way from a sequence to a fixed number of tokens;
    queries are ours (HPL, Eq. 3 and 4). Arguments: see :class:`BlockInversion`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        num_tokens: int = 4,
        depth: int = 4,
        num_heads: int = 8,
        token_norm: float | None = None,
    ) -> None:
        super().__init__(
            in_channels, out_channels, num_tokens, depth, num_heads, token_norm
        )
        self.queries = nn.Parameter(torch.randn(num_tokens, in_channels) * 0.02)

    def forward(
        self, tokens: Tensor, pooled: Tensor, padding: Tensor | None = None
    ) -> Tensor:
        """See :class:`BaseInversion`."""
        queries = self.queries.expand(tokens.shape[0], -1, -1)
        return self.invert_first(queries, tokens, padding)


@INVERSIONS.register_module()
class FirstTokensInversion(BlockInversion):
    """The first m outputs of blocks on the sequence are the pseudo-tokens.

    Arguments: see :class:`BlockInversion`.
    """

    def forward(
        self, tokens: Tensor, pooled: Tensor, padding: Tensor | None = None
    ) -> Tensor:
        """See :class:`BaseInversion`.

        Raises:
            ValueError: The sequence is shorter than m.
        """
        if tokens.shape[1] < self.num_tokens:
            raise ValueError(
                f'A sequence of {tokens.shape[1]} tokens has no first '
                f'num_tokens={self.num_tokens}.'
            )
        return self.output(self.run_blocks(tokens, self.num_tokens, padding))


@INVERSIONS.register_module()
class ClassTokenInversion(BlockInversion):
    """Blocks on the pooled token and the sequence; the first alone is the pseudo-token.

    Arguments: see :class:`BlockInversion`.

    Raises:
        ValueError: ``num_tokens`` is not 1, the only number that it can make.
    """

    reads_pooled = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        num_tokens: int = 1,
        depth: int = 4,
        num_heads: int = 8,
        token_norm: float | None = None,
    ) -> None:
        if num_tokens != 1:
            raise ValueError(
                f'num_tokens={num_tokens}: ClassTokenInversion makes one pseudo-token.'
            )
        super().__init__(in_channels, out_channels, 1, depth, num_heads, token_norm)

    def forward(
        self, tokens: Tensor, pooled: Tensor, padding: Tensor | None = None
    ) -> Tensor:
        """See :class:`BaseInversion`."""
        return self.invert_first(pooled.unsqueeze(1), tokens, padding)


@INVERSIONS.register_module()
class CrossAttentionInversion(QueryInversion):
    """m learnable queries that attend to the sequence from outside (Q-Former style).

    A block has self-attention, cross-attention and an MLP. Arguments: see
    :class:`BlockInversion`.
    """

    block_type = nn.TransformerDecoderLayer

    def forward(
        self, tokens: Tensor, pooled: Tensor, padding: Tensor | None = None
    ) -> Tensor:
        """See :class:`BaseInversion`."""
        x = self.queries.expand(tokens.shape[0], -1, -1)
        for block in self.blocks:
            x = block(x, tokens, memory_key_padding_mask=padding)
        return self.output(x)

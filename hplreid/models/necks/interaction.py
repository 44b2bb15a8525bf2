"""PromptSG's interaction module: a prompt attends to the tokens of an image."""

import torch
from torch import Tensor, nn

from hplreid.registry import NECKS
from hplreid.structures.feature_form import TOKENS, VECTOR
from hplreid.utils.argument_checks import check_count, check_one_of

from ..layers.residual_block import run_encoder_layer
from .base_neck import BaseNeck

VARIANTS = ('attend', 'attend_single', 'reweight', 'vis_query')


@NECKS.register_module()
class InteractionNeck(BaseNeck):
    """A prompt's feature and the tokens of an image, joined to one feature.

    PromptSG's multimodal interaction module: attention between the two, then
    transformer blocks (pre-norm, MLP ratio 4, GELU, no dropout), of whose output one
    token is read. The paper's Eq. 7 lets the prompt attend to the tokens, its figures
    let the attention map weigh them; so there are variants:

    * ``'attend'``, Eq. 7: the prompt is the query, class token and patches are keys and
      values. Blocks run over the attended token and all of those; the first is read.
    * ``'attend_single'``: blocks run over the attended token alone.
    * ``'reweight'``, the figures: patches times ``N softmax(q k / sqrt(width))``, 1 on
      average; blocks run over the class token and these; the class token is read.
    * ``'vis_query'``: the image's tokens are queries, the prompt is key and value;
      added to the tokens, for there would be nothing of the image otherwise. Blocks
      run over their sum; the class token is read.

    Args:
        in_channels: Width of prompt and tokens, d. If it is not ``width``, one linear
            map projects both.
        width: Of attention and blocks, and of the new feature. Defaults to 512.
        num_heads: Attention heads. Defaults to 8.
        num_blocks: Blocks after the attention; 0 for none. Defaults to 2, the paper's.
        variant: One of the above. Defaults to ``'attend'``.

    Raises:
        ValueError: An argument has no legal value, or ``'reweight'`` has fewer than 2
            blocks.
    """

    takes = ((VECTOR,), (TOKENS,))

    def __init__(
        self,
        in_channels: int,
        width: int = 512,
        num_heads: int = 8,
        num_blocks: int = 2,
        variant: str = 'attend',
    ) -> None:
        super().__init__()
        check_one_of('variant', variant, VARIANTS)
        check_count('in_channels', in_channels)
        check_count('width', width)
        check_count('num_heads', num_heads)
        if width % num_heads:
            raise ValueError(f'width={width} is no multiple of num_heads={num_heads}.')
        # The norm of the first block takes every token to one length again: its class
        # token hardly sees weights, only the second block's does
        least = 2 if variant == 'reweight' else 0
        if not isinstance(num_blocks, int) or num_blocks < least:
            raise ValueError(
                f"num_blocks={num_blocks!r}: '{variant}' needs at least {least}."
            )
        self.out_channels = width
        self.variant = variant
        self.input: nn.Module = nn.Identity()
        if in_channels != width:
            self.input = nn.Linear(in_channels, width)
        if variant == 'reweight':
            self.query = nn.Linear(width, width)
            self.key = nn.Linear(width, width, bias=False)  # softmax wouldn't see it
        elif variant == 'vis_query':
            # Softmax over one key is 1: this is all that is left of the attention
            self.value = nn.Linear(width, width)
        else:
            self.attention = nn.MultiheadAttention(width, num_heads, batch_first=True)
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(
                width,
                num_heads,
                dim_feedforward=4 * width,
                dropout=0.0,
                activation='gelu',
                batch_first=True,
                norm_first=True,
            )
            for _ in range(num_blocks)
        )

    def forward(self, prompt: Tensor, tokens: Tensor) -> Tensor:
        """Join prompts and images.

        Args:
            prompt: Feature of each image's prompt, ``(B, d)``; or of one prompt for
                all, ``(1, d)`` or ``(d,)``.
            tokens: Class token, then patches, ``(B, 1 + N, d)``.

        Returns:
            ``(B, width)``.
        """
        tokens = self.input(tokens)
        prompt = self.input(torch.atleast_2d(prompt))
        x = self._meet(prompt.expand(tokens.shape[0], -1).unsqueeze(1), tokens)
        for i, block in enumerate(self.blocks, start=1):
            # Of the last one's outputs only the first is read
            x = run_encoder_layer(block, x, 1 if i == len(self.blocks) else None)
        return x[:, 0]

    def _meet(self, prompt: Tensor, tokens: Tensor) -> Tensor:
        """Return what the blocks run over, the token to be read first."""
        if self.variant == 'reweight':
            patches = tokens[:, 1:]
            scores = self.query(prompt) @ self.key(patches).transpose(1, 2)
            weights = (scores / patches.shape[-1] ** 0.5).softmax(-1).transpose(1, 2)
            return torch.cat(
                [tokens[:, :1], patches * weights * patches.shape[1]], dim=1
            )
        if self.variant == 'vis_query':
            return tokens + self.value(prompt)
        attended, _ = self.attention(prompt, tokens, tokens, need_weights=False)
        if self.variant == 'attend_single':
            return attended
        return torch.cat([attended, tokens], dim=1)

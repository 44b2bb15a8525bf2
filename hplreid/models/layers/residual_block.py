"""Blocks of transformers, for all tokens or only for those that anything reads.

A block's keys and values are of all tokens; queries, output projection and feed-forward
network, five sixths of its work, are needed only for tokens whose outputs are read.
After a last block that is the class tokens, or a caption's end, for most methods.
All functions compute what the block's own ``forward`` does, but for rounding, with the
block's own weights.
"""

from typing import Any

from open_clip.transformer import ResidualAttentionBlock
from timm.layers import Attention
from timm.models.vision_transformer import Block
from torch import Tensor, nn

from .attention import attend
from .quick_mlp import run_mlp


def run_clip_block(
    block: Any,  # noqa: ANN401
    x: Tensor,
    query: Tensor | None = None,
    mask: Tensor | None = None,
    causal: bool = False,
) -> Tensor:
    """Run a block of open_clip's.

    Args:
        block: A ``ResidualAttentionBlock``.
        x: Tokens ``(B, L, D)``.
        query: Those of them whose outputs are read, ``(B, Q, D)``. Defaults to all.
        mask: See :func:`attend`; its rows are of ``query``.
        causal: See :func:`attend`.

    Returns:
        ``(B, Q, D)``.

    Raises:
        TypeError: It is another block, of an architecture with normalized queries, say.
    """
    if type(block) is not ResidualAttentionBlock:
        raise TypeError(
            f'{type(block).__name__} is no plain block of CLIP: expected an '
            'architecture of ResidualAttentionBlock.'
        )
    context = block.ln_1(x)
    asked = context if query is None else block.ln_1(query)
    x = x if query is None else query
    x = x + block.ls_1(_attend(block.attn, asked, context, mask, causal))
    return x + block.ls_2(run_mlp(block.mlp, block.ln_2(x)))


def run_encoder_layer(
    layer: Any,  # noqa: ANN401
    x: Tensor,
    count: int | None = None,
    padding: Tensor | None = None,
) -> Tensor:
    """Run a pre-norm layer of PyTorch's without dropout.

    Args:
        layer: A ``TransformerEncoderLayer``, ``batch_first`` and ``norm_first``.
        x: Tokens ``(B, L, D)``.
        count: How many of the first tokens' outputs are read. Defaults to all.
        padding: True where a token is padding, ``(B, L)`` bool; None if none is.

    Returns:
        ``(B, count, D)``.
    """
    context = layer.norm1(x)
    asked = context
    if count is not None:
        x = x[:, :count]
        asked = layer.norm1(x)
    mask = None if padding is None else ~padding[:, None, None]
    x = x + _attend(layer.self_attn, asked, context, mask)
    return x + layer.linear2(layer.activation(layer.linear1(layer.norm2(x))))


def _attend(
    heads: nn.MultiheadAttention,
    query: Tensor,
    context: Tensor,
    mask: Tensor | None,
    causal: bool = False,
) -> Tensor:
    """Return what PyTorch's attention module returns; see :func:`attend`."""
    weight, bias = heads.in_proj_weight, heads.in_proj_bias
    return heads.out_proj(
        attend(query, context, weight, bias, heads.num_heads, mask, causal)
    )


def run_timm_block(block: Any, x: Tensor, count: int) -> Tensor:  # noqa: ANN401
    """Run a block of timm's vision transformers for its first tokens.

    A block that isn't plain, one with dropout of single values or normalized queries,
    say, is run for all tokens.

    Args:
        block: The block.
        x: Tokens ``(B, L, D)``.
        count: How many of the first tokens' outputs are read.

    Returns:
        ``(B, count, D)``.
    """
    if not _is_plain(block):
        return block(x)[:, :count]
    first = x[:, :count]
    heads = block.attn
    attended = attend(
        block.norm1(first),
        block.norm1(x),
        heads.qkv.weight,
        heads.qkv.bias,
        heads.num_heads,
    )
    first = first + block.drop_path1(block.ls1(heads.proj(attended)))
    return first + block.drop_path2(block.ls2(block.mlp(block.norm2(first))))


def _is_plain(block: Any) -> bool:  # noqa: ANN401
    if type(block) is not Block or type(block.attn) is not Attention:
        return False
    heads = block.attn
    unused = (heads.q_norm, heads.k_norm, getattr(heads, 'norm', nn.Identity()))
    drops: tuple[Any, ...] = (
        heads.attn_drop,
        heads.proj_drop,
        block.mlp.drop1,
        block.mlp.drop2,
    )
    return (
        all(isinstance(norm, nn.Identity) for norm in unused)
        and getattr(heads, 'gate', None) is None
        and heads.qkv.weight.shape[0] == 3 * heads.qkv.weight.shape[1]
        and not any(drop.p for drop in drops)
    )

"""Multi-head attention without copies between its projections and its kernel."""

import torch.nn.functional as F
from torch import Tensor


def attend(
    query: Tensor,
    context: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    num_heads: int,
    mask: Tensor | None = None,
    causal: bool = False,
) -> Tensor:
    """Return what queries read of a context, before the output projection.

    The same as :class:`torch.nn.MultiheadAttention` but for rounding. That module
    makes each projection contiguous, sequence first, and copies the heads' outputs
    back; here the kernel gets views, and the mask in the form it has a fast path for.

    Args:
        query: ``(B, Q, D)``. Where it is ``context`` itself, one product projects it
            to queries, keys and values.
        context: ``(B, L, D)``.
        weight: Of the projections to queries, keys and values, ``(3 D, D)``.
        bias: ``(3 D,)`` or None.
        num_heads: Attention heads, of which D is a multiple.
        mask: True where a query may look, broadcast to ``(B, heads, Q, L)``. Every
            query must see something. Defaults to None: it sees everything.
        causal: Whether token i sees those up to i alone; for ``query is context``.

    Returns:
        ``(B, Q, D)``.

    Example:
        >>> import torch
        >>> from hplreid.models.layers.attention import attend
        >>> x, weight = torch.randn(2, 5, 8), torch.randn(24, 8)
        >>> attend(x[:, :1], x, weight, None, num_heads=2).shape
        torch.Size([2, 1, 8])
    """
    if query is context:
        projected = F.linear(query, weight, bias).chunk(3, dim=-1)
    else:
        width = weight.shape[1]
        sizes = (width, 2 * width)
        of_query, of_context = weight.split(sizes)
        biases = (None, None) if bias is None else bias.split(sizes)
        keys_values = F.linear(context, of_context, biases[1])
        projected = (
            F.linear(query, of_query, biases[0]),
            *keys_values.chunk(2, dim=-1),
        )
    q, k, v = (x.unflatten(-1, (num_heads, -1)).transpose(1, 2) for x in projected)
    x = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal)
    return x.transpose(1, 2).flatten(2)

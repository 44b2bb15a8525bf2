"""CLIP's feed-forward network with fewer passes over its widest activation."""

from typing import Any

import torch
import torch.nn.functional as F
from open_clip.transformer import QuickGELU
from torch import Tensor, nn

_SLOPE = 1.702  # of QuickGELU, x * sigmoid(1.702 x)


def run_mlp(mlp: Any, x: Tensor) -> Tensor:  # noqa: ANN401
    """Return what a block's feed-forward network makes of tokens ``(..., D)``.

    With QuickGELU, the same as ``mlp(x)`` but for rounding: ``x sigmoid(1.702 x)`` is
    ``silu(1.702 x) / 1.702``, and a product of matrices takes a factor for nothing. So
    the widest activation is written twice, not four times, and kept once, not three
    times. What has another activation, or layers that aren't plain linear ones (an
    adapter's, say), is called as it is.

    Args:
        mlp: open_clip's: ``c_fc``, ``gelu``, ``c_proj``.
        x: Tokens.
    """
    if not (
        type(mlp.gelu) is QuickGELU and type(mlp.c_fc) is type(mlp.c_proj) is nn.Linear
    ):
        return mlp(x)
    first, last = mlp.c_fc, mlp.c_proj
    # The bias is scaled by hand: with another beta than 1, GPUs have no fused kernel
    wide = torch.addmm(
        _SLOPE * first.bias, x.flatten(0, -2), first.weight.t(), alpha=_SLOPE
    )
    out = torch.addmm(last.bias, F.silu(wide), last.weight.t(), alpha=1 / _SLOPE)
    return out.unflatten(0, x.shape[:-1])

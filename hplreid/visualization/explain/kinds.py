"""The kinds of maps: what each makes of an attention's probabilities and gradients."""

from __future__ import annotations

import torch
from torch import Tensor

from hplreid.utils.argument_checks import check_one_of

from .propagation import Mixing, weigh_attention

KINDS = ('gradient', 'rollout', 'attention', 'random')
"""Ways to explain a transformer.

* ``'gradient'``: gradient-weighted attention, carried back through all blocks (Chefer
  et al., `Generic Attention-model Explainability <https://arxiv.org/abs/2103.15679>`_);
* ``'rollout'``: attention carried back, half of it by the residual path (Abnar and
  Zuidema, `Quantifying Attention Flow <https://arxiv.org/abs/2005.00928>`_). It is the
  same whatever the score;
* ``'attention'``: what the token that is read attends to in the last block;
* ``'random'``: a map from a seed, which any other has to beat.

A ResNet has Grad-CAM for ``'gradient'``, ``'random'``, and none of the others.
"""


def mix(
    kind: str,
    probs: Tensor,
    gradient: Tensor | None,
    read: bool = False,
    residual: bool = True,
) -> Mixing:
    """Return what the outputs of an attention took from its inputs, by a kind of map.

    Args:
        kind: One of ``KINDS``, but ``'random'``.
        probs: Attention, ``(B, heads, Q, L)``.
        gradient: Of the score by ``probs``; None where it has no effect on it.
        read: Whether it's the attention that is shown for ``'attention'``.
        residual: Whether a residual path goes around it.

    Raises:
        ValueError: Another kind.

    Example:
        >>> probs = torch.tensor([[[[0.25, 0.75]]]])
        >>> mix('rollout', probs, None)
        Mixing(taken=tensor([[[0.1250, 0.3750]]]), keep=0.5)
        >>> mix('attention', probs, None)
        Mixing(taken=tensor([[[0., 0.]]]), keep=1.0)
    """
    check_one_of('kind', kind, KINDS[:3])
    mean = probs.mean(dim=1)
    keep = 1.0 if residual else 0.0
    if kind == 'rollout':
        return Mixing(mean / 2, 0.5) if residual else Mixing(mean, 0.0)
    if kind == 'attention':
        return Mixing(mean, 0.0) if read else Mixing(torch.zeros_like(mean), keep)
    if gradient is None:
        return Mixing(torch.zeros_like(mean), keep)
    return Mixing(weigh_attention(probs, gradient), keep)

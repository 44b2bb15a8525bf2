"""Relevance of tokens, from attention: the arithmetic of all methods.

A block's tokens are ``x + A x`` but for its weights: what is relevant to the outputs is
relevant to the inputs by the residual path and by attention. All of a tower would be a
product of matrices ``(L, L)``; as only few of its outputs are read, a row of relevance
is carried back from them, block by block, instead, in ``L`` times fewer operations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Mixing:
    """What the outputs of an attention took from its inputs.

    Attributes:
        taken: By attention, ``(B, Q, L)``.
        keep: Weight of the residual path.
    """

    taken: Tensor
    keep: float = 1.0


def weigh_attention(probs: Tensor, gradient: Tensor) -> Tensor:
    """Return attention that raises a score, averaged over heads.

    ``E_h[(dS/dA * A)+]``, Eq. 5 of `Generic Attention-model Explainability
    <https://arxiv.org/abs/2103.15679>`_ (Chefer, Gur, Wolf, 2021).

    Args:
        probs: A, ``(B, heads, Q, L)``.
        gradient: Of the score S by A, of the same shape.

    Returns:
        ``(B, Q, L)``, at least 0.

    Example:
        >>> probs = torch.tensor([[[[0.25, 0.75]], [[0.5, 0.5]]]])
        >>> gradient = torch.tensor([[[[4.0, -1.0]], [[2.0, 2.0]]]])
        >>> weigh_attention(probs, gradient).tolist()
        [[[1.0, 0.5]]]
    """
    return (probs * gradient).clamp(min=0).mean(dim=1)


def step_back(row: Tensor, mixing: Mixing, places: Tensor | None = None) -> Tensor:
    """Return the relevance of a block's inputs, given that of its outputs.

    ``R <- keep R + R M``, Eq. 6 of Chefer et al. read from the end to the start.

    Args:
        row: Relevance of the block's outputs, ``(B, Q)``.
        mixing: What they took.
        places: Which of the inputs each output continues, ``(B, Q)`` int64. Defaults to
            the first Q.

    Returns:
        ``(B, L)``.

    Example:
        >>> row = torch.tensor([[1.0]])  # one output of three is read
        >>> mixing = Mixing(torch.tensor([[[0.1, 0.2, 0.3]]]))
        >>> step_back(row, mixing, places=torch.tensor([[2]]))
        tensor([[0.1000, 0.2000, 1.3000]])
    """
    carried = torch.einsum('bq,bql->bl', row, mixing.taken)
    kept = torch.zeros_like(carried)
    if places is None:
        kept[:, : row.shape[1]] = row
    else:
        kept = kept.scatter_add(1, places, row)
    return mixing.keep * kept + carried


def carry_back(row: Tensor, mixings: Sequence[Mixing]) -> Tensor:
    """Carry relevance from a tower's outputs back to its inputs.

    Args:
        row: Relevance of the last block's outputs, ``(B, Q)``: the first Q tokens.
        mixings: Of the blocks, first to last; of the last ``(B, Q, L)``.

    Returns:
        ``(B, L)``.

    Example:
        >>> row, mixing = torch.tensor([[1.0, 0.0]]), Mixing(torch.full((1, 2, 2), 0.5))
        >>> carry_back(row, [mixing, mixing])
        tensor([[2.5000, 1.5000]])
    """
    for mixing in reversed(mixings):
        row = step_back(row, mixing)
    return row


def carry_back_normalized(row: Tensor, mixings: Sequence[Mixing]) -> Tensor:
    """Carry relevance of all tokens back, what each took from others summing to 1.

    ``row R'`` with ``R' = I + (R - I) / rows' sums``, Eq. 8 and 9 of Chefer et al.,
    for towers whose tokens are attended to by another module: the identity in R, which
    is of no scale that gradients know, would hide what tokens took from each other.

    Args:
        row: Relevance of the last block's outputs, ``(B, L)``.
        mixings: Of the blocks, first to last, with ``keep=1``.

    Returns:
        ``(B, L)``.

    Example:
        >>> mixing = Mixing(torch.full((1, 2, 2), 0.01))
        >>> row = torch.tensor([[1.0, 0.0]])
        >>> carry_back_normalized(row, [mixing])
        tensor([[1.5000, 0.5000]])
    """
    taken = torch.zeros_like(row)  # (R - I) 1, from the first block to the last
    for mixing in mixings:
        taken = taken + torch.einsum('bql,bl->bq', mixing.taken, 1 + taken)
    # A token that took nothing keeps all
    scaled = torch.where(taken > 0, row / taken.clamp(min=1e-30), torch.zeros_like(row))
    return row + carry_back(scaled, mixings) - scaled


def grad_cam(maps: Tensor, gradient: Tensor) -> Tensor:
    """Return where the channels of a convolutional map raise a score.

    ``(sum_c mean_places(dS/dF_c) F_c)+``, `Grad-CAM
    <https://arxiv.org/abs/1610.02391>`_ (Selvaraju et al., 2017), Eq. 1 and 2.

    Args:
        maps: F, ``(B, C, h, w)``.
        gradient: Of the score S by F, of the same shape.

    Returns:
        ``(B, h, w)``, at least 0.

    Example:
        >>> maps = torch.tensor([[[[1.0, 2.0]], [[4.0, 1.0]]]])
        >>> gradient = torch.tensor([[[[1.0, 1.0]], [[-0.5, 0.0]]]])
        >>> grad_cam(maps, gradient)
        tensor([[[0.0000, 1.7500]]])
    """
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    return (weights * maps).sum(dim=1).clamp(min=0)


def normalize_map(relevance: Tensor) -> Tensor:
    """Return relevance as shares: at least 0, summing to 1 over all but the first.

    Nothing relevant at all is uniform.

    Example:
        >>> normalize_map(torch.tensor([[3.0, 1.0, -2.0], [0.0, 0.0, 0.0]]))
        tensor([[0.7500, 0.2500, 0.0000],
                [0.3333, 0.3333, 0.3333]])
    """
    flat = relevance.clamp(min=0).flatten(1)
    total = flat.sum(dim=1, keepdim=True)
    shares = torch.where(
        total > 0,
        flat / total.clamp(min=1e-30),
        torch.full_like(flat, 1 / flat.shape[1]),
    )
    return shares.reshape(relevance.shape)

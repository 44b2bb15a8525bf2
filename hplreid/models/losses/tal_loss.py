"""Triplet alignment of images and captions."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hplreid.registry import LOSSES
from hplreid.utils.argument_checks import check_one_of, check_positive, check_rows

from ..layers.full_precision import full_precision
from .cross_entropy import REDUCTIONS
from .similarity import similarity_logits


@full_precision
def tal_loss(
    image: Tensor,
    text: Tensor,
    labels: Tensor,
    tau: float = 0.015,
    margin: float = 0.1,
    reduce: str = 'mean',
) -> Tensor:
    """Hinge between matches and a soft maximum over all mismatches.

    With ``s_ij`` the cosine of image i and caption j, an image costs
    ``max(0, margin - s_i+ + tau log sum_j [y_j != y_i] exp(s_ij / tau))``. Its match
    ``s_i+`` is the mean of ``s_ij`` over the captions of its identity, weighted by the
    softmax of ``s_ij / tau`` over these; weights are constants to the gradient. A
    caption costs the same with the similarities transposed. The soft maximum is never
    below the hardest mismatch, and pushes all of them away. `Noisy-Correspondence
    Learning for Text-to-Image Person Re-Identification
    <https://arxiv.org/abs/2308.09911>`_ (RDE), the triplet alignment loss of clean
    pairs.

    Args:
        image: ``(N, C)``.
        text: ``(N, C)``; row i describes row i of ``image``.
        labels: Identities, ``(N,)`` int64.
        tau: Temperature of both soft choices.
        margin: Of the hinge.
        reduce: ``'mean'`` or ``'sum'`` (RDE) over pairs.

    Returns:
        Scalar; rows that nothing of another identity stands against cost nothing.

    Raises:
        ValueError: ``reduce`` is neither of the two, or the inputs have no rows or
            not equally many.

    Example:
        >>> import torch
        >>> from hplreid.models.losses import tal_loss
        >>> pairs = torch.eye(2)
        >>> tal_loss(pairs, pairs, torch.arange(2))  # 1 apart, beyond the margin
        tensor(0.)
    """
    check_one_of('reduce', reduce, REDUCTIONS)
    check_rows(image=image, text=text, labels=labels)
    similarity = similarity_logits(image, text)
    match = labels.unsqueeze(1) == labels.unsqueeze(0)
    pairs = _hinge(similarity, match, tau, margin) + _hinge(
        similarity.t(), match, tau, margin
    )
    return pairs.mean() if reduce == 'mean' else pairs.sum()


def _hinge(similarity: Tensor, match: Tensor, tau: float, margin: float) -> Tensor:
    logits = similarity / tau
    # Not -inf: a row without mismatches would have a gradient of 0 * inf
    lowest = torch.finfo(logits.dtype).min
    weights = logits.detach().masked_fill(~match, lowest).softmax(1)
    matched = (weights * similarity).sum(1)
    mismatched = tau * logits.masked_fill(match, lowest).logsumexp(1)
    return F.relu(margin - matched + mismatched)


@LOSSES.register_module()
class TALLoss(nn.Module):
    """:func:`tal_loss` with its options.

    Args:
        tau: Temperature. Defaults to 0.015, as in RDE.
        margin: Of the hinge. Defaults to 0.1, as in RDE.
        reduce: ``'mean'`` or ``'sum'`` over pairs. Defaults to ``'mean'``.

    Raises:
        ValueError: An argument has no legal value.
    """

    def __init__(
        self, tau: float = 0.015, margin: float = 0.1, reduce: str = 'mean'
    ) -> None:
        super().__init__()
        check_positive('tau', tau)
        check_positive('margin', margin)
        check_one_of('reduce', reduce, REDUCTIONS)
        self.tau = tau
        self.margin = margin
        self.reduce = reduce

    def forward(self, image: Tensor, text: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of ``image``, ``text`` ``(N, C)`` and ``labels`` ``(N,)``."""
        return tal_loss(image, text, labels, self.tau, self.margin, self.reduce)

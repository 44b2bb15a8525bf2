"""Similarity distribution matching between images and captions."""

import torch
from torch import Tensor, nn

from hplreid.registry import LOSSES
from hplreid.utils.argument_checks import check_positive, check_rows

from ..layers.full_precision import full_precision
from .similarity import similarity_logits


@full_precision
def sdm_loss(
    image: Tensor,
    text: Tensor,
    labels: Tensor,
    tau: float = 0.02,
    eps: float = 1e-8,
) -> Tensor:
    """KL divergence from identity matches to similarities, in both directions.

    With ``a_ij = softmax_j(cos(image_i, text_j) / tau)`` and ``q_ij`` equal over the
    texts of identity ``y_i``, zero elsewhere, one direction is
    ``mean_i sum_j a_ij (log a_ij - log(q_ij + eps))``; the other has the similarities
    transposed. `IRRA <https://arxiv.org/abs/2303.12501>`_, Eq. 6 and 7.

    Args:
        image: ``(N, C)``.
        text: ``(N, C)``; row i describes row i of ``image``.
        labels: Identities, ``(N,)`` int64.
        tau: Temperature.
        eps: Keeps the logarithm of the zeros of q finite; log(1e-8) = -18.4 is what
            a mismatch costs.

    Returns:
        Scalar, finite for every batch with a row.

    Raises:
        ValueError: The inputs have no rows or not equally many.

    Example:
        >>> import torch
        >>> from hplreid.models.losses import sdm_loss
        >>> pairs = torch.eye(2)
        >>> sdm_loss(pairs, pairs, labels=torch.arange(2)).item() < 1e-6
        True
    """
    check_rows(image=image, text=text, labels=labels)
    logits = similarity_logits(image, text, 'cosine', tau)
    match = (labels.unsqueeze(1) == labels.unsqueeze(0)).to(logits.dtype)
    log_target = torch.log(match / match.sum(1, keepdim=True) + eps)  # symmetric match
    return _kl(logits, log_target) + _kl(logits.t(), log_target)


def _kl(logits: Tensor, log_target: Tensor) -> Tensor:
    log_prediction = logits.log_softmax(1)
    divergence = log_prediction.exp() * (log_prediction - log_target)
    return divergence.sum(1).mean()


@LOSSES.register_module()
class SDMLoss(nn.Module):
    """:func:`sdm_loss` with its options.

    Args:
        tau: Temperature. Defaults to 0.02, fixed, as in IRRA.
        eps: See the function. Defaults to 1e-8.

    Raises:
        ValueError: An argument has no legal value.
    """

    def __init__(self, tau: float = 0.02, eps: float = 1e-8) -> None:
        super().__init__()
        check_positive('tau', tau)
        check_positive('eps', eps)
        self.tau = tau
        self.eps = eps

    def forward(self, image: Tensor, text: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of ``image``, ``text`` ``(N, C)`` and ``labels`` ``(N,)``."""
        return sdm_loss(image, text, labels, self.tau, self.eps)

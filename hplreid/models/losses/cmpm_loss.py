"""Cross-modal projection matching of images and captions."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hplreid.registry import LOSSES
from hplreid.utils.argument_checks import check_positive, check_rows

from ..layers.full_precision import full_precision


@full_precision
def cmpm_loss(image: Tensor, text: Tensor, labels: Tensor, eps: float = 1e-8) -> Tensor:
    """KL divergence from projections to identity matches, in both directions.

    With ``p_ij = softmax_j(image_i . text_j / |text_j|)``, the length of an image's
    projection onto each caption, and ``q_ij`` equal over the captions of identity
    ``y_i``, zero elsewhere, one direction is
    ``mean_i sum_j p_ij (log p_ij - log(q_ij + eps))``; in the other, captions are
    projected onto images. There is no temperature: the length of what is projected,
    which is not normalized, does its work. `Deep Cross-Modal Projection Learning
    <https://openaccess.thecvf.com/content_ECCV_2018/html/Ying_Zhang_Deep_Cross-Modal_Projection_ECCV_2018_paper.html>`_,
    Eq. 1 to 6.

    Args:
        image: ``(N, C)``.
        text: ``(N, C)``; row i describes row i of ``image``.
        labels: Identities, ``(N,)`` int64.
        eps: Keeps the logarithm of the zeros of q finite.

    Returns:
        Scalar, finite for every batch with a row.

    Raises:
        ValueError: The inputs have no rows or not equally many.

    Example:
        >>> import torch
        >>> from hplreid.models.losses import cmpm_loss
        >>> pairs = 20 * torch.eye(2)
        >>> cmpm_loss(pairs, pairs, labels=torch.arange(2)).item() < 1e-6
        True
    """
    check_rows(image=image, text=text, labels=labels)
    match = (labels.unsqueeze(1) == labels.unsqueeze(0)).to(image.dtype)
    log_target = torch.log(match / match.sum(1, keepdim=True) + eps)
    return _project(image, text, log_target) + _project(text, image, log_target)


def _project(a: Tensor, b: Tensor, log_target: Tensor) -> Tensor:
    log_prediction = (a @ F.normalize(b, dim=1).t()).log_softmax(1)
    divergence = log_prediction.exp() * (log_prediction - log_target)
    return divergence.sum(1).mean()


@LOSSES.register_module()
class CMPMLoss(nn.Module):
    """:func:`cmpm_loss` with its option.

    Args:
        eps: See the function. Defaults to 1e-8.

    Raises:
        ValueError: ``eps`` is not above 0.
    """

    def __init__(self, eps: float = 1e-8) -> None:
        super().__init__()
        check_positive('eps', eps)
        self.eps = eps

    def forward(self, image: Tensor, text: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of ``image``, ``text`` ``(N, C)`` and ``labels`` ``(N,)``."""
        return cmpm_loss(image, text, labels, self.eps)

"""Supervised contrast between images and texts."""

import torch
from torch import Tensor, nn

from hplreid.registry import LOSSES
from hplreid.utils.argument_checks import check_rows

from ..layers.full_precision import full_precision
from .similarity import resolve_tau, similarity_logits


@full_precision
def supcon_loss(
    image: Tensor,
    text: Tensor,
    labels: Tensor,
    similarity: str = 'cosine',
    tau: float | Tensor = 1.0,
) -> tuple[Tensor, Tensor]:
    """Contrast of each image with all texts, and of each text with all images.

    For an anchor, ``-log softmax`` of its similarity with a candidate is averaged over
    the candidates of its identity; then the anchors are averaged.
    `CLIP-ReID <https://arxiv.org/abs/2211.13977>`_, Eq. 3 and 4; with texts that depend
    on the identity alone, HPL's Eq. 8 and 9 (see :mod:`.prompt_contrast`).

    Args:
        image: ``(N, C)``.
        text: ``(N, C)``; row i has the identity of row i of ``image``.
        labels: Identities, ``(N,)`` int64.
        similarity: ``'cosine'`` or ``'dot'``.
        tau: Temperature.

    Returns:
        Two scalars: image to text and text to image.

    Raises:
        ValueError: No such similarity, or the inputs have no rows or not equally many.

    Example:
        >>> import torch
        >>> from hplreid.models.losses import supcon_loss
        >>> pairs = torch.eye(2)
        >>> supcon_loss(pairs, pairs, torch.arange(2))  # ln(1 + 1/e) in both directions
        (tensor(0.3133), tensor(0.3133))
    """
    check_rows(image=image, text=text, labels=labels)
    logits = similarity_logits(image, text, similarity, tau)
    match = labels.unsqueeze(1) == labels.unsqueeze(0)
    return _contrast(logits, match), _contrast(logits.t(), match)


def _contrast(logits: Tensor, match: Tensor) -> Tensor:
    # where, not a product: log-probabilities of -inf would make 0 * -inf
    cost = torch.where(match, -logits.log_softmax(1), torch.zeros_like(logits))
    return (cost.sum(1) / match.sum(1)).mean()  # row i matches itself: no zero division


@LOSSES.register_module()
class SupConLoss(nn.Module):
    """:func:`supcon_loss` with its options.

    Args:
        similarity: ``'cosine'`` or ``'dot'``. Defaults to ``'cosine'``.
        tau: Temperature; None is 0.02 for ``'cosine'`` and 1 for ``'dot'``.
            Defaults to None.

    Raises:
        ValueError: An argument has no legal value.
    """

    def __init__(self, similarity: str = 'cosine', tau: float | None = None) -> None:
        super().__init__()
        self.tau = resolve_tau(similarity, tau)
        self.similarity = similarity

    def forward(
        self, image: Tensor, text: Tensor, labels: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return both directions for ``(N, C)``, ``(N, C)`` and labels ``(N,)``."""
        return supcon_loss(image, text, labels, self.similarity, self.tau)

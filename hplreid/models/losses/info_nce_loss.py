"""CLIP's contrast of images and captions."""

import torch
from torch import Tensor, nn

from hplreid.registry import LOSSES
from hplreid.utils.argument_checks import check_one_of

from ..layers.full_precision import full_precision
from .supcon_loss import supcon_loss

TARGETS = ('pairs', 'labels')


@full_precision
def info_nce_loss(
    image: Tensor,
    text: Tensor,
    logit_scale: float | Tensor,
    labels: Tensor | None = None,
) -> Tensor:
    """Mean of image-to-text and text-to-image cross-entropy over the batch.

    `CLIP <https://arxiv.org/abs/2103.00020>`_, Figure 3. Without ``labels`` the one
    match is the other half of the pair. But captions of one identity describe
    every image of it, so in a batch that repeats identities those would be false
    negatives: with ``labels`` the rows of an identity share the target's mass equally.

    Args:
        image: ``(N, C)``.
        text: ``(N, C)``; row i describes row i of ``image``.
        logit_scale: Factor of the cosine, ``1 / tau``; not its logarithm. A scalar.
        labels: Identities, ``(N,)`` int64. Defaults to None.

    Returns:
        Scalar.

    Raises:
        ValueError: The inputs have no rows or not equally many.

    Example:
        >>> import torch
        >>> from hplreid.models.losses import info_nce_loss
        >>> pairs = torch.eye(2)
        >>> info_nce_loss(pairs, pairs, logit_scale=1.0)  # ln(1 + 1/e)
        tensor(0.3133)
    """
    if labels is None:
        labels = torch.arange(len(image), device=image.device)
    # Shared target mass is the mean over positives, so this is supervised contrast.
    both = supcon_loss(image, text, labels, 'cosine', 1 / logit_scale)
    return (both[0] + both[1]) / 2


@LOSSES.register_module()
class InfoNCELoss(nn.Module):
    """:func:`info_nce_loss` with its option.

    Args:
        targets: ``'pairs'``, the other half of a pair alone, or ``'labels'``, every
            row of the identity in equal shares. Defaults to ``'pairs'``.

    Raises:
        ValueError: ``targets`` is neither of the two.
    """

    def __init__(self, targets: str = 'pairs') -> None:
        super().__init__()
        check_one_of('targets', targets, TARGETS)
        self.targets = targets

    def forward(
        self, image: Tensor, text: Tensor, labels: Tensor, logit_scale: float | Tensor
    ) -> Tensor:
        """Return the loss of ``(N, C)``, ``(N, C)``, labels ``(N,)`` and a scalar."""
        used = labels if self.targets == 'labels' else None
        return info_nce_loss(image, text, logit_scale, used)

"""Batch-hard triplet loss for batches of any make-up."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hplreid.registry import LOSSES
from hplreid.utils.argument_checks import check_positive, check_rows

from ..layers.full_precision import full_precision


@full_precision
def triplet_loss(
    features: Tensor, labels: Tensor, margin: float | None = 0.3
) -> Tensor:
    """Push the farthest row of an anchor's identity closer than the nearest other.

    The distance is Euclidean, ``sqrt(max(d^2, 1e-12))``, between features as they
    are, not normalized. Any number of rows an identity: anchors without a second row
    of their identity, or without a row of another, are left out of the mean.
    `In Defense of the Triplet Loss <https://arxiv.org/abs/1703.07737>`_, Eq. 5.

    Args:
        features: ``(N, C)``.
        labels: Identities, ``(N,)`` int64.
        margin: Of the hinge ``max(0, d_ap - d_an + margin)``; None is the soft margin
            ``log(1 + exp(d_ap - d_an))``.

    Returns:
        Scalar; a zero with zero gradient when no anchor is left.

    Raises:
        ValueError: The inputs have no rows or not equally many.

    Example:
        >>> import torch
        >>> from hplreid.models.losses import triplet_loss
        >>> features = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
        >>> triplet_loss(features, torch.tensor([0, 0, 1]), margin=0.3)
        tensor(0.1500)
    """
    check_rows(features=features, labels=labels)
    positive, negative, valid = _mine(features.detach(), labels)
    gap = _distance(features, features[positive]) - _distance(
        features, features[negative]
    )
    per_anchor = F.softplus(gap) if margin is None else F.relu(gap + margin)
    per_anchor = torch.where(valid, per_anchor, torch.zeros_like(per_anchor))
    return per_anchor.sum() / valid.sum().clamp(min=1)


def _mine(features: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return hardest positive, hardest negative and whether an anchor has both."""
    # Distances don't depend on the origin; the mean as origin costs less rounding.
    features = features - features.mean(0)
    distance = torch.cdist(features, features)
    same = labels.unsqueeze(1) == labels.unsqueeze(0)
    itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    positives = same & ~itself
    positive = distance.masked_fill(~positives, -torch.inf).argmax(1)
    negative = distance.masked_fill(same, torch.inf).argmin(1)
    return positive, negative, positives.any(1) & ~same.all(1)


def _distance(a: Tensor, b: Tensor) -> Tensor:
    # From the difference, not from inner products: exact where two rows coincide.
    return (a - b).square().sum(1).clamp(min=1e-12).sqrt()


@LOSSES.register_module()
class TripletLoss(nn.Module):
    """:func:`triplet_loss` with its options.

    Args:
        margin: Hinge margin; None is the soft margin. Defaults to 0.3.

    Raises:
        ValueError: ``margin`` is not above 0.
    """

    def __init__(self, margin: float | None = 0.3) -> None:
        super().__init__()
        if margin is not None:
            check_positive('margin', margin)
        self.margin = margin

    def forward(self, features: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of ``features`` ``(N, C)`` and ``labels`` ``(N,)``."""
        return triplet_loss(features, labels, self.margin)

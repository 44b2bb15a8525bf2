"""Center loss: every image near the center of its identity."""

import torch
from torch import Tensor, nn

from hplreid.registry import LOSSES
from hplreid.utils.argument_checks import check_count, check_positive, check_rows

from ..layers.full_precision import full_precision


@full_precision
def center_loss(features: Tensor, labels: Tensor, centers: Tensor) -> Tensor:
    """Squared Euclidean distance of rows to the centers of their identities, mean.

    `A Discriminative Feature Learning Approach for Deep Face Recognition
    <https://ydwen.github.io/papers/WenECCV16.pdf>`_, Eq. 2, has half the sum over the
    batch; this is the scale of Bag of Tricks' code, whose weight of 5e-4 belongs to it.

    Args:
        features: ``(N, C)``, not normalized.
        labels: Identities, ``(N,)`` int64.
        centers: ``(num_ids, C)``.

    Returns:
        Scalar.

    Raises:
        ValueError: The inputs have no rows or not equally many.

    Example:
        >>> import torch
        >>> from hplreid.models.losses import center_loss
        >>> features = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
        >>> labels, centers = torch.arange(2), torch.zeros(2, 2)
        >>> center_loss(features, labels, centers)  # (1 + 4) / 2
        tensor(2.5000)
    """
    check_rows(features=features, labels=labels)
    return (features - centers[labels]).square().sum(dim=1).mean()


@full_precision
def move_centers(
    features: Tensor, labels: Tensor, centers: Tensor, alpha: float
) -> Tensor:
    """Return centers moved toward the batch, by Eq. 4 of the paper.

    With n rows of an identity: ``c - alpha * sum(c - x) / (1 + n)``. Centers of
    identities that the batch doesn't have stay.

    Args:
        features: ``(N, C)``.
        labels: ``(N,)`` int64.
        centers: ``(num_ids, C)``.
        alpha: Rate, above 0, at most 1.

    Example:
        >>> import torch
        >>> from hplreid.models.losses import move_centers
        >>> features, labels = torch.tensor([[1.0, 0.0]]), torch.tensor([0])
        >>> move_centers(features, labels, torch.zeros(2, 2), alpha=0.5)
        tensor([[0.2500, 0.0000],
                [0.0000, 0.0000]])
    """
    gaps = torch.zeros_like(centers).index_add_(0, labels, centers[labels] - features)
    ones = torch.ones_like(labels, dtype=centers.dtype)
    counts = centers.new_zeros(len(centers)).index_add_(0, labels, ones)
    return centers - alpha * gaps / (1 + counts).unsqueeze(1)


@LOSSES.register_module()
class CenterLoss(nn.Module):
    """:func:`center_loss` with its centers, which move at every step of training.

    The centers are a buffer moved by the paper's own rule, not parameters as in Bag of
    Tricks' code: those take an optimizer of their own (SGD at 0.5) and a division of
    their gradient by the loss weight, to undo it. As a buffer they need neither, they
    are in every checkpoint, so that a resumed run goes on exactly; and with several
    processes each moves them by the same global batch, so that they stay equal.

    They start at zero: a few visits bring them to their identity from anywhere.

    Args:
        num_ids: Identities of the training set.
        in_channels: Channels of the features.
        alpha: Rate of the centers. Defaults to 0.5.

    Raises:
        ValueError: An argument has no legal value.
    """

    indexed_by = {'centers': 'identity'}
    centers: Tensor

    def __init__(self, num_ids: int, in_channels: int, alpha: float = 0.5) -> None:
        super().__init__()
        check_count('num_ids', num_ids)
        check_count('in_channels', in_channels)
        check_positive('alpha', alpha)
        if alpha > 1:
            raise ValueError(f'alpha={alpha!r}: expected a number of at most 1.')
        self.alpha = alpha
        self.register_buffer('centers', torch.zeros(num_ids, in_channels))

    def forward(self, features: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of ``features`` ``(N, C)``; in training, move the centers."""
        loss = center_loss(features, labels, self.centers)
        if self.training:
            with torch.no_grad():
                moved = move_centers(features, labels, self.centers, self.alpha)
                self.centers.copy_(moved)
        return loss

"""Classification of identities, with label smoothing."""

import torch.nn.functional as F
from torch import Tensor, nn

from hplreid.registry import LOSSES
from hplreid.utils.argument_checks import check_fraction, check_one_of, check_rows

from ..layers.full_precision import full_precision

REDUCTIONS = ('mean', 'sum')


@full_precision
def cross_entropy(
    logits: Tensor,
    labels: Tensor,
    label_smoothing: float = 0.0,
    reduce: str = 'mean',
) -> Tensor:
    """Cross-entropy with the target ``(1 - eps) * one_hot + eps / num_ids``.

    Args:
        logits: ``(N, num_ids)``.
        labels: ``(N,)`` int64 in ``[0, num_ids)``.
        label_smoothing: eps.
        reduce: ``'mean'`` or ``'sum'`` over rows.

    Returns:
        Scalar.

    Raises:
        ValueError: ``reduce`` is neither of the two, or the inputs have no rows or
            not equally many.

    Example:
        >>> import torch
        >>> from hplreid.models.losses import cross_entropy
        >>> cross_entropy(torch.zeros(1, 4), torch.tensor([2]))  # ln 4
        tensor(1.3863)
    """
    check_one_of('reduce', reduce, REDUCTIONS)
    check_rows(logits=logits, labels=labels)
    return F.cross_entropy(
        logits, labels, reduction=reduce, label_smoothing=label_smoothing
    )


@LOSSES.register_module()
class CrossEntropyLoss(nn.Module):
    """:func:`cross_entropy` with its options.

    Args:
        label_smoothing: Share of the target spread over all identities, in [0, 1).
            Defaults to 0.
        reduce: ``'mean'`` or ``'sum'`` over rows. Defaults to ``'mean'``.

    Raises:
        ValueError: An argument has no legal value.
    """

    def __init__(self, label_smoothing: float = 0.0, reduce: str = 'mean') -> None:
        super().__init__()
        check_fraction('label_smoothing', label_smoothing)
        check_one_of('reduce', reduce, REDUCTIONS)
        self.label_smoothing = label_smoothing
        self.reduce = reduce

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of ``logits`` ``(N, num_ids)`` and ``labels`` ``(N,)``."""
        return cross_entropy(logits, labels, self.label_smoothing, self.reduce)

"""Contrast of prototypes of identities with the instances of a batch."""

import torch
from torch import Tensor, nn

from hplreid.registry import LOSSES
from hplreid.utils.argument_checks import check_one_of, check_positive, check_rows

from ..layers.full_precision import full_precision
from .cross_entropy import REDUCTIONS
from .similarity import similarity_logits


@full_precision
def prototype_contrast_loss(
    features: Tensor,
    prototypes: Tensor,
    labels: Tensor,
    tau: float = 0.02,
    reduce: str = 'mean',
) -> Tensor:
    """Pull the instances of a batch to the prototypes of their identities.

    An identity y that has instances P(y) in the batch costs ``-mean_{p in P(y)}
    log(exp(cos(v_p, p_y) / tau) / sum_j exp(cos(v_j, p_y) / tau))``, j over the batch.
    Propot, Eq. 10 to 12, corrected: see :func:`printed_prototype_contrast`. Identities
    that aren't in the batch cost nothing, so a prototype is given for each row alone.

    Args:
        features: Instances of one modality, ``(N, C)``.
        prototypes: The prototype of each row's identity, ``(N, C)``.
        labels: ``(N,)`` int64.
        tau: Temperature.
        reduce: ``'mean'`` or ``'sum'`` over the identities of the batch.

    Returns:
        Scalar.

    Raises:
        ValueError: No such reduction, or the inputs have no rows or not equally many.

    Example:
        >>> import torch
        >>> from hplreid.models.losses import prototype_contrast_loss
        >>> features = torch.eye(2)
        >>> prototype_contrast_loss(features, features, torch.arange(2), tau=1.0)
        tensor(0.3133)
    """
    check_rows(features=features, prototypes=prototypes, labels=labels)
    check_one_of('reduce', reduce, REDUCTIONS)
    logits = similarity_logits(prototypes, features, 'cosine', tau)
    match = labels.unsqueeze(1) == labels.unsqueeze(0)
    cost = torch.where(match, -logits.log_softmax(1), torch.zeros_like(logits))
    # An identity with n rows stands n times in the sum over rows
    share = 1 / match.sum(1).to(cost.dtype)
    total = (cost.sum(1) * share**2).sum()
    return total / share.sum() if reduce == 'mean' else total


@full_precision
def printed_prototype_contrast(
    features: Tensor, prototypes: Tensor, labels: Tensor, tau: float = 0.02
) -> Tensor:
    """Propot's Eq. 10 to 12 as printed, for comparison with the loss that trains.

    There is no logarithm, and the sum runs over all training identities; those without
    an instance in the batch, whose mean would be that of nothing, are left out. Without
    the logarithm an instance that is far from its prototype has next to no gradient.

    Args:
        features: Instances of one modality, ``(N, C)``.
        prototypes: Those of all identities, ``(num_ids, C)``.
        labels: ``(N,)`` int64 in ``[0, num_ids)``.
        tau: Temperature.

    Returns:
        Scalar, from minus the number of identities in the batch to 0.

    Raises:
        ValueError: ``features`` and ``labels`` have no rows or not equally many.

    Example:
        >>> import torch
        >>> from hplreid.models.losses import printed_prototype_contrast
        >>> features = torch.eye(2)
        >>> printed_prototype_contrast(features, features, torch.arange(2), tau=1.0)
        tensor(-1.4621)
    """
    check_rows(features=features, labels=labels)
    share = similarity_logits(prototypes, features, 'cosine', tau).softmax(1)
    identities = torch.arange(len(prototypes), device=labels.device)
    match = identities.unsqueeze(1) == labels.unsqueeze(0)
    return -((share * match).sum(1) / match.sum(1).clamp(min=1)).sum()


@LOSSES.register_module()
class PrototypeContrastLoss(nn.Module):
    """:func:`prototype_contrast_loss` with its options.

    Args:
        tau: Temperature. Defaults to 0.02.
        reduce: ``'mean'`` or ``'sum'`` over the identities of the batch. Defaults to
            ``'mean'``.

    Raises:
        ValueError: An argument has no legal value.
    """

    def __init__(self, tau: float = 0.02, reduce: str = 'mean') -> None:
        super().__init__()
        check_positive('tau', tau)
        check_one_of('reduce', reduce, REDUCTIONS)
        self.tau = tau
        self.reduce = reduce

    def forward(self, features: Tensor, prototypes: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of ``(N, C)``, ``(N, C)`` and labels ``(N,)``."""
        return prototype_contrast_loss(
            features, prototypes, labels, self.tau, self.reduce
        )

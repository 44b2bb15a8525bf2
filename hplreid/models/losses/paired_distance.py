"""Squared distance between the two members of each pair."""

import torch.nn.functional as F
from torch import Tensor, nn

from hplreid.registry import LOSSES
from hplreid.utils.argument_checks import check_one_of, check_same_shape

from ..layers.full_precision import full_precision

DISTANCES = ('raw', 'l2norm')


@full_precision
def paired_distance(a: Tensor, b: Tensor, kind: str = 'raw') -> Tensor:
    """Mean over rows of the squared Euclidean distance, as in HPL's Eq. 6 and 10.

    Args:
        a: ``(N, C)``.
        b: ``(N, C)``.
        kind: ``'raw'``, the vectors as they are (the paper), or ``'l2norm'``, after
            L2-normalization: ``2 - 2 cos``, in [0, 4].

    Returns:
        Scalar.

    Raises:
        ValueError: No such kind, or the inputs aren't of one shape with a row.

    Example:
        >>> import torch
        >>> from hplreid.models.losses import paired_distance
        >>> paired_distance(torch.zeros(1, 2), torch.tensor([[3.0, 4.0]]))
        tensor(25.)
    """
    check_one_of('kind', kind, DISTANCES)
    check_same_shape(2, a=a, b=b)
    if kind == 'l2norm':
        a, b = F.normalize(a, dim=1), F.normalize(b, dim=1)
    return (a - b).square().sum(1).mean()


@LOSSES.register_module()
class PairedDistanceLoss(nn.Module):
    """:func:`paired_distance` with its option.

    Args:
        kind: ``'raw'`` or ``'l2norm'``. Defaults to ``'raw'``.

    Raises:
        ValueError: ``kind`` is neither of the two.
    """

    def __init__(self, kind: str = 'raw') -> None:
        super().__init__()
        check_one_of('kind', kind, DISTANCES)
        self.kind = kind

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the distance of ``a`` and ``b``, both ``(N, C)``."""
        return paired_distance(a, b, self.kind)

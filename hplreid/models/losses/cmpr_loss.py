"""Agreement of the pseudo-tokens of an image and of its caption."""

from torch import Tensor, nn

from hplreid.registry import LOSSES
from hplreid.utils.argument_checks import check_one_of, check_same_shape

from ..layers.full_precision import full_precision

REDUCTIONS = ('sum', 'mean')


@full_precision
def cmpr_loss(pseudo_text: Tensor, pseudo_image: Tensor, reduce: str = 'sum') -> Tensor:
    """HPL Eq. 12, cross-modal prompt regularization: ``mean_i ||Pt_i - Pv_i||_F^2``.

    Args:
        pseudo_text: Pt, ``(N, m, D)``.
        pseudo_image: Pv of the same pairs, ``(N, m, D)``.
        reduce: Over the m * D entries of a pair: ``'sum'`` (the Frobenius norm of the
            paper) or ``'mean'``.

    Returns:
        Scalar.

    Raises:
        ValueError: No such reduction, or the inputs aren't of one shape with a row.

    Example:
        >>> import torch
        >>> from hplreid.models.losses import cmpr_loss
        >>> cmpr_loss(torch.ones(1, 2, 3), torch.zeros(1, 2, 3))
        tensor(6.)
    """
    check_one_of('reduce', reduce, REDUCTIONS)
    check_same_shape(3, pseudo_text=pseudo_text, pseudo_image=pseudo_image)
    squares = (pseudo_text - pseudo_image).square()
    return squares.sum((1, 2)).mean() if reduce == 'sum' else squares.mean()


@LOSSES.register_module()
class CMPRLoss(nn.Module):
    """:func:`cmpr_loss` with its option.

    Args:
        reduce: ``'sum'`` or ``'mean'``. Defaults to ``'sum'``.

    Raises:
        ValueError: ``reduce`` is neither of the two.
    """

    def __init__(self, reduce: str = 'sum') -> None:
        super().__init__()
        check_one_of('reduce', reduce, REDUCTIONS)
        self.reduce = reduce

    def forward(self, pseudo_text: Tensor, pseudo_image: Tensor) -> Tensor:
        """Return the loss of two ``(N, m, D)``."""
        return cmpr_loss(pseudo_text, pseudo_image, self.reduce)

"""Cross-modal projection classification of images and captions."""

import torch.nn.functional as F
from torch import Tensor, nn

from hplreid.registry import LOSSES
from hplreid.utils.argument_checks import check_rows

from ..layers.full_precision import full_precision


@full_precision
def cmpc_loss(image: Tensor, text: Tensor, labels: Tensor, weight: Tensor) -> Tensor:
    """Cross-entropy of each half of a pair, projected onto the other half.

    With ``z' = z / |z|``, the image's projection is ``x^ = (x . z') z'`` and the
    caption's is ``z^ = (z . x') x'``. Both are classified by one classifier whose rows
    have length 1 and which has no bias, ``CE(W' x^, y) + CE(W' z^, y)``, each a mean
    over the batch. `Deep Cross-Modal Projection Learning
    <https://openaccess.thecvf.com/content_ECCV_2018/html/Ying_Zhang_Deep_Cross-Modal_Projection_ECCV_2018_paper.html>`_,
    Eq. 7 to 11.

    Args:
        image: x, ``(N, C)``.
        text: z, ``(N, C)``; row i describes row i of ``image``.
        labels: Identities, ``(N,)`` int64 in ``[0, num_ids)``.
        weight: W, ``(num_ids, C)``; its rows are normalised here.

    Returns:
        Scalar.

    Raises:
        ValueError: The inputs have no rows or not equally many.

    Example:
        >>> import torch
        >>> from hplreid.models.losses import cmpc_loss
        >>> pairs = torch.eye(2)
        >>> cmpc_loss(pairs, pairs, torch.arange(2), weight=torch.eye(2))
        tensor(0.6265)
    """
    check_rows(image=image, text=text, labels=labels)
    weight = F.normalize(weight, dim=1)
    of_image = F.cross_entropy(_project(image, text) @ weight.t(), labels)
    of_text = F.cross_entropy(_project(text, image) @ weight.t(), labels)
    return of_image + of_text


def _project(a: Tensor, b: Tensor) -> Tensor:
    """Return the projection of each row of ``a`` onto its row of ``b``."""
    b = F.normalize(b, dim=1)
    return (a * b).sum(1, keepdim=True) * b


@LOSSES.register_module()
class CMPCLoss(nn.Module):
    """:func:`cmpc_loss`, which has no options."""

    def forward(
        self, image: Tensor, text: Tensor, labels: Tensor, weight: Tensor
    ) -> Tensor:
        """Return the loss; see the function."""
        return cmpc_loss(image, text, labels, weight)

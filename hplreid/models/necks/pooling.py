"""Pooling of a map to one vector per image."""

import torch
from torch import Tensor, nn

from hplreid.registry import NECKS
from hplreid.structures.feature_form import MAP
from hplreid.utils.argument_checks import check_positive

from ..layers.full_precision import full_precision
from .base_neck import BaseNeck


@full_precision
def generalized_mean(
    maps: Tensor, p: Tensor | float = 3.0, eps: float = 1e-6
) -> Tensor:
    """Return ``(mean of x^p over places)^(1/p)``: the mean at 1, near the maximum at 8.

    `Fine-tuning CNN Image Retrieval with No Human Annotation
    <https://arxiv.org/abs/1711.02512>`_, Eq. 3.

    Args:
        maps: ``(B, C, H, W)``. Values below ``eps`` count as ``eps``.
        p: The exponent, a scalar.
        eps: Least value; the power of nothing negative is taken.

    Returns:
        ``(B, C)``, in float32 at least.

    Example:
        >>> import torch
        >>> from hplreid.models.necks import generalized_mean
        >>> maps = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
        >>> generalized_mean(maps, p=1.0)
        tensor([[2.5000]])
    """
    return maps.clamp(min=eps).pow(p).mean(dim=(2, 3)).pow(1 / p)


@NECKS.register_module()
class GlobalAveragePool(BaseNeck):
    """The mean over a map's places."""

    takes = ((MAP,),)

    def forward(self, maps: Tensor) -> Tensor:
        """Return the means of ``maps`` ``(B, C, H, W)``, ``(B, C)``."""
        return maps.mean(dim=(2, 3))


@NECKS.register_module()
class GeM(BaseNeck):
    """:func:`generalized_mean` with one learned exponent.

    Args:
        p: Where the exponent starts. Defaults to 3.
        eps: Least value of the map. Defaults to 1e-6.
        init_cfg: As for every MMEngine module. Defaults to None.

    Raises:
        ValueError: ``p`` or ``eps`` isn't above 0.
    """

    takes = ((MAP,),)

    def __init__(
        self, p: float = 3.0, eps: float = 1e-6, init_cfg: dict | None = None
    ) -> None:
        super().__init__(init_cfg)
        check_positive('p', p)
        check_positive('eps', eps)
        self.p = nn.Parameter(torch.tensor(float(p)))
        self.eps = eps

    def forward(self, maps: Tensor) -> Tensor:
        """Return the generalized means of ``maps`` ``(B, C, H, W)``, ``(B, C)``."""
        return generalized_mean(maps, self.p, self.eps)

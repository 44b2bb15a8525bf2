"""A loss that is smallest when the pseudo-tokens of an image differ."""

import torch
import torch.nn.functional as F
from torch import Tensor

from hplreid.models.heads import BaseHead
from hplreid.registry import HEADS
from hplreid.structures import FeatureBundle


def token_diversity(pseudo: Tensor) -> Tensor:
    """Mean squared cosine between different pseudo-tokens of one item.

    Args:
        pseudo: ``(N, m, D)``, m at least 2.

    Returns:
        Scalar in [0, 1]; 0 if all are at right angles.
    """
    unit = F.normalize(pseudo.float(), dim=2)
    cosine = unit @ unit.transpose(1, 2)
    m = pseudo.shape[1]
    different = ~torch.eye(m, dtype=torch.bool, device=pseudo.device)
    return cosine.square()[:, different].mean()


@HEADS.register_module()
class TokenDiversityHead(BaseHead):
    """:func:`token_diversity` of the pseudo-tokens of images.

    Args:
        feature: The pseudo-tokens. Defaults to ``'pseudo_image'``.
        group: Rows read. Defaults to ``'all'``.
        loss_weight: Defaults to 1.
        name: Defaults to ``'token_diversity'``.
    """

    default_name = 'token_diversity'

    def __init__(
        self,
        feature: str = 'pseudo_image',
        group: str = 'all',
        loss_weight: float = 1.0,
        name: str | None = None,
    ) -> None:
        super().__init__((feature,), group, loss_weight, name)
        self.feature = feature

    def terms(self, bundle: FeatureBundle) -> dict[str, Tensor]:
        """Return the one term."""
        return {'': token_diversity(self.select(bundle, self.feature)[0])}

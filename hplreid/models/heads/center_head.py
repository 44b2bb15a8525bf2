"""Distance of images to the centers of their identities."""

from torch import Tensor

from hplreid.models.losses import CenterLoss
from hplreid.registry import HEADS
from hplreid.structures import FeatureBundle

from .base_head import BaseHead, vectors


@HEADS.register_module()
class CenterHead(BaseHead):
    """Center loss, see :class:`hplreid.models.losses.CenterLoss`.

    `Bag of Tricks <https://arxiv.org/abs/1903.07071>`_, section 3.7, gives it a weight
    of 5e-4.

    Args:
        num_ids: Identities of the training set.
        in_channels: Channels of the feature.
        feature: Feature of images. Defaults to ``'u'``.
        alpha: Rate of the centers. Defaults to 0.5.
        group: Rows read. Defaults to ``'image_only'``.
        loss_weight: Defaults to 1.
        name: Defaults to ``'center'``.

    Raises:
        ValueError: An argument has no legal value.
    """

    default_name = 'center'

    def __init__(
        self,
        num_ids: int,
        in_channels: int,
        feature: str = 'u',
        alpha: float = 0.5,
        group: str = 'image_only',
        loss_weight: float = 1.0,
        name: str | None = None,
    ) -> None:
        super().__init__(vectors(feature), group, loss_weight, name)
        self.feature = feature
        self.criterion = CenterLoss(num_ids, in_channels, alpha)

    def terms(self, bundle: FeatureBundle) -> dict[str, Tensor]:
        """Return the one term."""
        return {'': self.criterion(*self.select(bundle, self.feature))}

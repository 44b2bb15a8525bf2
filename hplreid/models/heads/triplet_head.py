"""Batch-hard triplets of images."""

from torch import Tensor

from hplreid.models.losses import TripletLoss
from hplreid.registry import HEADS
from hplreid.structures import FeatureBundle

from .base_head import BaseHead, vectors


@HEADS.register_module()
class TripletHead(BaseHead):
    """L_tri of HPL's Eq. 2, see :func:`hplreid.models.losses.triplet_loss`.

    Args:
        feature: Feature of images. Defaults to ``'u'``.
        margin: Hinge margin; None is the soft margin. Defaults to 0.3.
        group: Rows read. Defaults to ``'image_only'``.
        loss_weight: Defaults to 1.
        name: Defaults to ``'triplet'``.

    Raises:
        ValueError: An argument has no legal value.
    """

    default_name = 'triplet'

    def __init__(
        self,
        feature: str = 'u',
        margin: float | None = 0.3,
        group: str = 'image_only',
        loss_weight: float = 1.0,
        name: str | None = None,
    ) -> None:
        super().__init__(vectors(feature), group, loss_weight, name)
        self.feature = feature
        self.criterion = TripletLoss(margin)

    def terms(self, bundle: FeatureBundle) -> dict[str, Tensor]:
        """Return the one term."""
        return {'': self.criterion(*self.select(bundle, self.feature))}

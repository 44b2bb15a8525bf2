"""Triplet alignment of images and captions."""

from torch import Tensor

from hplreid.models.losses import TALLoss
from hplreid.registry import HEADS
from hplreid.structures import FeatureBundle

from .base_head import BaseHead, vectors


@HEADS.register_module()
class TALHead(BaseHead):
    """L_tal of RDE, see :func:`hplreid.models.losses.tal_loss`.

    Args:
        image: Feature of images. Defaults to ``'v'``.
        text: Feature of captions. Defaults to ``'t'``.
        tau: Temperature. Defaults to 0.015.
        margin: Of the hinge. Defaults to 0.1.
        reduce: ``'mean'`` or ``'sum'`` over pairs. Defaults to ``'mean'``.
        group: Rows read. Defaults to ``'captioned'``.
        loss_weight: Defaults to 1.
        name: Defaults to ``'tal'``.

    Raises:
        ValueError: An argument has no legal value.
    """

    default_name = 'tal'

    def __init__(
        self,
        image: str = 'v',
        text: str = 't',
        tau: float = 0.015,
        margin: float = 0.1,
        reduce: str = 'mean',
        group: str = 'captioned',
        loss_weight: float = 1.0,
        name: str | None = None,
    ) -> None:
        super().__init__(vectors(image, text), group, loss_weight, name)
        self.image = image
        self.text = text
        self.criterion = TALLoss(tau, margin, reduce)

    def terms(self, bundle: FeatureBundle) -> dict[str, Tensor]:
        """Return the one term."""
        image, labels = self.select(bundle, self.image)
        text, _ = self.select(bundle, self.text)
        return {'': self.criterion(image, text, labels)}

"""Similarity distribution matching of images and captions."""

from torch import Tensor

from hplreid.models.losses import SDMLoss
from hplreid.registry import HEADS
from hplreid.structures import FeatureBundle

from .base_head import BaseHead, vectors


@HEADS.register_module()
class SDMHead(BaseHead):
    """L_sdm of HPL's Eq. 2, see :func:`hplreid.models.losses.sdm_loss`.

    Args:
        image: Feature of images. Defaults to ``'v'``.
        text: Feature of captions. Defaults to ``'t'``.
        tau: Temperature. Defaults to 0.02.
        group: Rows read. Defaults to ``'captioned'``.
        loss_weight: Defaults to 1.
        name: Defaults to ``'sdm'``.

    Raises:
        ValueError: An argument has no legal value.
    """

    default_name = 'sdm'

    def __init__(
        self,
        image: str = 'v',
        text: str = 't',
        tau: float = 0.02,
        group: str = 'captioned',
        loss_weight: float = 1.0,
        name: str | None = None,
    ) -> None:
        super().__init__(vectors(image, text), group, loss_weight, name)
        self.image = image
        self.text = text
        self.criterion = SDMLoss(tau)

    def terms(self, bundle: FeatureBundle) -> dict[str, Tensor]:
        """Return the one term."""
        image, labels = self.select(bundle, self.image)
        text, _ = self.select(bundle, self.text)
        return {'': self.criterion(image, text, labels)}

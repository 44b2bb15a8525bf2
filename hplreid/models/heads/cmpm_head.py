"""Cross-modal projection matching of images and captions."""

from torch import Tensor

from hplreid.models.losses import CMPMLoss
from hplreid.registry import HEADS
from hplreid.structures import FeatureBundle

from .base_head import BaseHead, vectors


@HEADS.register_module()
class CMPMHead(BaseHead):
    """L_cmpm, see :func:`hplreid.models.losses.cmpm_loss`.

    Args:
        image: Feature of images. Defaults to ``'v'``.
        text: Feature of captions. Defaults to ``'t'``.
        group: Rows read. Defaults to ``'captioned'``.
        loss_weight: Defaults to 1.
        name: Defaults to ``'cmpm'``.

    Raises:
        ValueError: An argument has no legal value.
    """

    default_name = 'cmpm'

    def __init__(
        self,
        image: str = 'v',
        text: str = 't',
        group: str = 'captioned',
        loss_weight: float = 1.0,
        name: str | None = None,
    ) -> None:
        super().__init__(vectors(image, text), group, loss_weight, name)
        self.image = image
        self.text = text
        self.criterion = CMPMLoss()

    def terms(self, bundle: FeatureBundle) -> dict[str, Tensor]:
        """Return the one term."""
        image, labels = self.select(bundle, self.image)
        text, _ = self.select(bundle, self.text)
        return {'': self.criterion(image, text, labels)}

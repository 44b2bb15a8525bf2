"""CLIP's contrast of pictures and captions."""

from torch import Tensor

from hplreid.models.losses import InfoNCELoss
from hplreid.registry import HEADS
from hplreid.structures import FeatureBundle

from .base_head import BaseHead


@HEADS.register_module()
class InfoNCEHead(BaseHead):
    """Trains a CLIP, see :func:`hplreid.models.losses.info_nce_loss`.

    Args:
        image: Feature of pictures. Defaults to ``'v'``.
        text: Feature of captions. Defaults to ``'t'``.
        logit_scale: Table with the factor of the cosine, ``1 / tau``, a scalar; not
            its logarithm, which is what CLIP learns. Defaults to ``'logit_scale'``.
        targets: ``'pairs'`` (CLIP) or ``'labels'``, where all rows of an identity
            share the target. Defaults to ``'pairs'``.
        group: Rows read. Defaults to ``'captioned'``.
        loss_weight: Defaults to 1.
        name: Defaults to ``'info_nce'``.

    Raises:
        ValueError: An argument has no legal value.
    """

    default_name = 'info_nce'

    def __init__(
        self,
        image: str = 'v',
        text: str = 't',
        logit_scale: str = 'logit_scale',
        targets: str = 'pairs',
        group: str = 'captioned',
        loss_weight: float = 1.0,
        name: str | None = None,
    ) -> None:
        super().__init__((image, text, logit_scale), group, loss_weight, name)
        self.image = image
        self.text = text
        self.logit_scale = logit_scale
        self.criterion = InfoNCELoss(targets)

    def terms(self, bundle: FeatureBundle) -> dict[str, Tensor]:
        """Return the one term."""
        image, labels = self.select(bundle, self.image)
        text, _ = self.select(bundle, self.text)
        scale = bundle.table(self.logit_scale)
        return {'': self.criterion(image, text, labels, scale)}

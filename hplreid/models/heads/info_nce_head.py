"""CLIP's contrast of images and captions."""

from torch import Tensor

from hplreid.models.losses import InfoNCELoss
from hplreid.registry import HEADS
from hplreid.structures import FeatureBundle
from hplreid.structures.feature_form import SCALAR, VECTOR
from hplreid.utils.argument_checks import check_positive

from .base_head import BaseHead


@HEADS.register_module()
class InfoNCEHead(BaseHead):
    """Trains a CLIP, or fine-tunes one (ITC), see :func:`.info_nce_loss`.

    Args:
        image: Feature of images. Defaults to ``'v'``.
        text: Feature of captions. Defaults to ``'t'``.
        logit_scale: Table with the factor of the cosine, ``1 / tau``, a scalar; not
            its logarithm, which is what CLIP learns. Defaults to ``'logit_scale'``.
        tau: Fixed temperature in place of the table. Defaults to None.
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
        tau: float | None = None,
        targets: str = 'pairs',
        group: str = 'captioned',
        loss_weight: float = 1.0,
        name: str | None = None,
    ) -> None:
        reads = {image: VECTOR, text: VECTOR}
        if not tau:
            reads[logit_scale] = SCALAR
        super().__init__(reads, group, loss_weight, name)
        if tau is not None:
            check_positive('tau', tau)
        self.image = image
        self.text = text
        self.logit_scale = logit_scale
        self.tau = tau
        self.criterion = InfoNCELoss(targets)

    def terms(self, bundle: FeatureBundle) -> dict[str, Tensor]:
        """Return the one term."""
        image, labels = self.select(bundle, self.image)
        text, _ = self.select(bundle, self.text)
        scale = 1 / self.tau if self.tau else bundle.table(self.logit_scale)
        return {'': self.criterion(image, text, labels, scale)}

"""Stage II: classification of images by the prompts of all identities."""

from torch import Tensor

from hplreid.models.losses import PromptIDLoss
from hplreid.registry import HEADS
from hplreid.structures import FeatureBundle
from hplreid.structures.feature_form import TABLE, VECTOR

from .base_head import BaseHead


@HEADS.register_module()
class PromptIDHead(BaseHead):
    """L_cic of HPL's Eq. 11, see :func:`hplreid.models.losses.prompt_id_loss`.

    Args:
        feature: Feature of images. Defaults to ``'u'``.
        table: Table of prompts, one row an identity.
            Defaults to ``'identity_prompts'``.
        similarity: ``'cosine'`` or ``'dot'``. Defaults to ``'cosine'``.
        tau: Temperature; None is 0.02 for ``'cosine'`` and 1 for ``'dot'``. The paper
            has none, which is 1. Defaults to None.
        reduce: ``'mean'`` or ``'sum'`` (the paper) over rows. Defaults to ``'mean'``.
        label_smoothing: In [0, 1). Defaults to 0.
        group: Rows read. Defaults to ``'all'``.
        loss_weight: Defaults to 1.
        name: Defaults to ``'prompt_id'``.

    Raises:
        ValueError: An argument has no legal value.
    """

    default_name = 'prompt_id'

    def __init__(
        self,
        feature: str = 'u',
        table: str = 'identity_prompts',
        similarity: str = 'cosine',
        tau: float | None = None,
        reduce: str = 'mean',
        label_smoothing: float = 0.0,
        group: str = 'all',
        loss_weight: float = 1.0,
        name: str | None = None,
    ) -> None:
        reads = {feature: VECTOR, table: TABLE}
        super().__init__(reads, group, loss_weight, name)
        self.feature = feature
        self.table = table
        self.criterion = PromptIDLoss(similarity, tau, reduce, label_smoothing)

    def terms(self, bundle: FeatureBundle) -> dict[str, Tensor]:
        """Return the one term."""
        features, labels = self.select(bundle, self.feature)
        return {'': self.criterion(features, bundle.table(self.table), labels)}

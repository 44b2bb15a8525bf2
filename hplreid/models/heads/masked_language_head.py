"""Prediction of the masked words of captions."""

from torch import Tensor

from hplreid.registry import HEADS
from hplreid.structures import FeatureBundle
from hplreid.structures.feature_form import COSTS

from ..layers.full_precision import full_precision
from .base_head import BaseHead


@HEADS.register_module()
class MaskedLanguageHead(BaseHead):
    """L_irr of IRRA: mean cross-entropy over the masked words of the global batch.

    `IRRA <https://arxiv.org/abs/2303.12501>`_, section 3.2. What is guessed, and what
    it costs, :class:`hplreid.models.necks.ImplicitRelation` computes; captions with
    many masked words count for more than others, as they do in one process.

    Args:
        feature: Sum of costs and number of masked words of each caption, ``(B_T, 2)``.
            Defaults to ``'masked_language'``.
        group: Rows read. Defaults to ``'captioned'``.
        loss_weight: Defaults to 1.
        name: Defaults to ``'masked_language'``.

    Raises:
        ValueError: An argument has no legal value.
    """

    default_name = 'masked_language'

    def __init__(
        self,
        feature: str = 'masked_language',
        group: str = 'captioned',
        loss_weight: float = 1.0,
        name: str | None = None,
    ) -> None:
        super().__init__({feature: COSTS}, group, loss_weight, name)
        self.feature = feature

    def terms(self, bundle: FeatureBundle) -> dict[str, Tensor]:
        """Return the one term; 0 where no word is masked."""
        costs, _ = self.select(bundle, self.feature)
        return {'': _mean(costs)}


@full_precision
def _mean(costs: Tensor) -> Tensor:
    total, number = costs.sum(0)
    return total / number.clamp(min=1)

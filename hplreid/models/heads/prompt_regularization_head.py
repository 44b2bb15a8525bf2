"""Stage II: an image and its caption are inverted to the same pseudo-tokens."""

from torch import Tensor

from hplreid.models.losses import CMPRLoss
from hplreid.registry import HEADS
from hplreid.structures import FeatureBundle
from hplreid.structures.feature_form import PSEUDO

from .base_head import BaseHead


@HEADS.register_module()
class PromptRegularizationHead(BaseHead):
    """L_CMPR of HPL's Eq. 12, see :func:`hplreid.models.losses.cmpr_loss`.

    Args:
        pseudo_image: Pseudo-tokens of images. Defaults to ``'pseudo_image'``.
        pseudo_text: Those of captions. Defaults to ``'pseudo_text'``.
        reduce: ``'sum'`` (the paper) or ``'mean'`` over the entries of a pair.
            Defaults to ``'sum'``.
        group: Rows read. Defaults to ``'captioned'``.
        loss_weight: Defaults to 1; the paper has 0.06.
        name: Defaults to ``'prompt_regularization'``.

    Raises:
        ValueError: An argument has no legal value.
    """

    default_name = 'prompt_regularization'

    def __init__(
        self,
        pseudo_image: str = 'pseudo_image',
        pseudo_text: str = 'pseudo_text',
        reduce: str = 'sum',
        group: str = 'captioned',
        loss_weight: float = 1.0,
        name: str | None = None,
    ) -> None:
        reads = {pseudo_image: PSEUDO, pseudo_text: PSEUDO}
        super().__init__(reads, group, loss_weight, name)
        self.pseudo_image = pseudo_image
        self.pseudo_text = pseudo_text
        self.criterion = CMPRLoss(reduce)

    def terms(self, bundle: FeatureBundle) -> dict[str, Tensor]:
        """Return the one term."""
        image, _ = self.select(bundle, self.pseudo_image)
        text, _ = self.select(bundle, self.pseudo_text)
        return {'': self.criterion(text, image)}

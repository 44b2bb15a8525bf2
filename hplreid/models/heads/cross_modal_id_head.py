"""Identity classification of images and captions by one classifier."""

from torch import Tensor

from hplreid.models.losses import CrossEntropyLoss
from hplreid.registry import HEADS
from hplreid.structures import FeatureBundle

from .base_head import BaseHead, vectors
from .classifier import make_classifier


@HEADS.register_module()
class CrossModalIDHead(BaseHead):
    """L_id^T of HPL's Eq. 2: ``(CE(W v, y) + CE(W t, y)) / 2`` with one W for both.

    `IRRA <https://arxiv.org/abs/2303.12501>`_, section 3.4.

    Args:
        num_ids: Identities of the training set.
        in_channels: Channels of both features.
        image: Feature of images. Defaults to ``'v'``.
        text: Feature of captions. Defaults to ``'t'``.
        group: Rows read. Defaults to ``'captioned'``.
        loss_weight: Defaults to 1.
        name: Defaults to ``'cross_modal_id'``.

    Raises:
        ValueError: An argument has no legal value.
    """

    default_name = 'cross_modal_id'
    indexed_by = {'classifier': 'identity'}

    def __init__(
        self,
        num_ids: int,
        in_channels: int,
        image: str = 'v',
        text: str = 't',
        group: str = 'captioned',
        loss_weight: float = 1.0,
        name: str | None = None,
    ) -> None:
        super().__init__(vectors(image, text), group, loss_weight, name)
        self.image = image
        self.text = text
        self.classifier = make_classifier(in_channels, num_ids, bias=True)
        self.criterion = CrossEntropyLoss()

    def terms(self, bundle: FeatureBundle) -> dict[str, Tensor]:
        """Return the one term."""
        image, labels = self.select(bundle, self.image)
        text, _ = self.select(bundle, self.text)
        of_image = self.criterion(self.classifier(image), labels)
        of_text = self.criterion(self.classifier(text), labels)
        return {'': (of_image + of_text) / 2}

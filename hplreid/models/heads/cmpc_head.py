"""Cross-modal projection classification of images and captions."""

from torch import Tensor, nn

from hplreid.models.losses import CMPCLoss
from hplreid.registry import HEADS
from hplreid.structures import FeatureBundle
from hplreid.utils.argument_checks import check_count

from .base_head import BaseHead, vectors


@HEADS.register_module()
class CMPCHead(BaseHead):
    """L_cmpc with its classifier, see :func:`hplreid.models.losses.cmpc_loss`.

    Args:
        num_ids: Identities of the training set.
        in_channels: Channels of both features.
        image: Feature of images. Defaults to ``'v'``.
        text: Feature of captions. Defaults to ``'t'``.
        group: Rows read. Defaults to ``'captioned'``.
        loss_weight: Defaults to 1.
        name: Defaults to ``'cmpc'``.

    Raises:
        ValueError: An argument has no legal value.
    """

    default_name = 'cmpc'
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
        check_count('in_channels', in_channels)
        check_count('num_ids', num_ids)
        self.image = image
        self.text = text
        self.classifier = nn.Linear(in_channels, num_ids, bias=False)
        # Not the small weights of other classifiers: rows are normalized, and the
        # gradient of a short row would be a large one
        nn.init.xavier_uniform_(self.classifier.weight)
        self.criterion = CMPCLoss()

    def terms(self, bundle: FeatureBundle) -> dict[str, Tensor]:
        """Return the one term."""
        image, labels = self.select(bundle, self.image)
        text, _ = self.select(bundle, self.text)
        return {'': self.criterion(image, text, labels, self.classifier.weight)}

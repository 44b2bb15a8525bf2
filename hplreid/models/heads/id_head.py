"""Identity classification of images."""

from torch import Tensor, nn

from hplreid.models.losses import CrossEntropyLoss
from hplreid.registry import HEADS, NECKS
from hplreid.structures import FeatureBundle
from hplreid.structures.feature_form import VECTOR, FeatureForm

from ..necks.neck_form import check_neck, form_of_neck
from ..part import PartError, build_part, find_part
from .base_head import BaseHead, vectors
from .classifier import make_classifier

DEFAULT_NECK = {'type': 'BNNeck'}


@HEADS.register_module()
class IDHead(BaseHead):
    """L_id^I of HPL's Eq. 2: cross-entropy of a classifier without a bias.

    `Bag of Tricks <https://arxiv.org/abs/1903.07071>`_, sections 3.3 and 3.4.

    Args:
        num_ids: Identities of the training set.
        in_channels: Channels of the feature.
        feature: Feature of images. Defaults to ``'u'``.
        neck: Config of what stands before the classifier; ``in_channels`` is added
            where it is missing. None for nothing. Defaults to a ``BNNeck``.
        label_smoothing: In [0, 1). Defaults to 0.1.
        group: Rows read. Defaults to ``'image_only'``.
        loss_weight: Defaults to 1.
        name: Defaults to ``'id'``.

    Raises:
        ValueError: An argument has no legal value.
        PartError: ``neck`` is of no registered type, or doesn't take vectors alone.
    """

    default_name = 'id'
    indexed_by = {'classifier': 'identity'}

    def __init__(
        self,
        num_ids: int,
        in_channels: int,
        feature: str = 'u',
        neck: dict | None = DEFAULT_NECK,
        label_smoothing: float = 0.1,
        group: str = 'image_only',
        loss_weight: float = 1.0,
        name: str | None = None,
    ) -> None:
        super().__init__(vectors(feature), group, loss_weight, name)
        self.feature = feature
        self.neck: nn.Module = nn.Identity()
        width = in_channels
        if neck is not None:
            self.neck, width = _build_neck(neck, in_channels)
        self.classifier = make_classifier(width, num_ids, bias=False)
        self.criterion = CrossEntropyLoss(label_smoothing)

    def terms(self, bundle: FeatureBundle) -> dict[str, Tensor]:
        """Return the one term."""
        features, labels = self.select(bundle, self.feature)
        return {'': self.criterion(self.classifier(self.neck(features)), labels)}


def _build_neck(config: dict, in_channels: int) -> tuple[nn.Module, int]:
    """Build what stands between feature and classifier; return it and its width."""
    place = 'IDHead.neck'
    forms = {'feature': FeatureForm(VECTOR, in_channels)}
    check_neck(find_part(NECKS, config, place), place, list(forms), forms)
    neck = build_part(NECKS, config, place, {'in_channels': in_channels})
    made = form_of_neck(neck, place, list(forms), forms)
    if made.kind != VECTOR:
        raise PartError(f'{place}: {type(neck).__name__} makes a {made.kind}.')
    return neck, made.width or in_channels

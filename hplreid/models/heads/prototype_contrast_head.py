"""Contrast of images and captions with prototypes of their identities."""

from torch import Tensor

from hplreid.models.losses import PrototypeContrastLoss
from hplreid.registry import HEADS, PROMPT_LEARNERS
from hplreid.structures import FeatureBundle
from hplreid.structures.feature_form import TABLE, VECTOR
from hplreid.utils.argument_checks import check_one_of

from ..part import build_part
from .base_head import BaseHead

SUBSETS = ('batch_ids', 'all')


@HEADS.register_module()
class PrototypeContrastHead(BaseHead):
    """L_p2i of Propot's Eq. 10 to 12, see :func:`.prototype_contrast_loss`.

    What prompts the prototypes stands here, not in the model: it reads the instances
    of the batch, and a head sees those of all processes. Terms: ``image`` and
    ``text``, the prototypes of a modality against its instances. Instances aren't
    detached: they learn as the prototypes' keys and as their targets.

    Args:
        num_ids: Identities of the training set.
        in_channels: Channels of both features.
        learner: Config of the :class:`PrototypeLearner`; None to contrast with the
            initial prototypes as they are. Defaults to None.
        subset: Of which identities prototypes are prompted: ``'batch_ids'``, or
            ``'all'``, as the published number of operations tells. Prototypes don't
            see each other, and no other enters the loss: both give the same loss and
            gradients. Defaults to ``'batch_ids'``.
        image: Feature of images. Defaults to ``'v'``.
        text: Feature of captions. Defaults to ``'t'``.
        prototypes_image: Table of initial prototypes, one row an identity. Defaults to
            ``'prototypes_image'``.
        prototypes_text: The same of captions. Defaults to ``'prototypes_text'``.
        tau: Temperature. Defaults to 0.02.
        reduce: ``'mean'`` or ``'sum'`` over the identities of the batch. Defaults to
            ``'mean'``.
        group: Rows read. Defaults to ``'captioned'``.
        loss_weight: Defaults to 1; the paper has 0.2.
        name: Defaults to ``'p2i'``.

    Raises:
        ValueError: An argument has no legal value.
    """

    default_name = 'p2i'

    def __init__(
        self,
        num_ids: int,
        in_channels: int,
        learner: dict | None = None,
        subset: str = 'batch_ids',
        image: str = 'v',
        text: str = 't',
        prototypes_image: str = 'prototypes_image',
        prototypes_text: str = 'prototypes_text',
        tau: float = 0.02,
        reduce: str = 'mean',
        group: str = 'captioned',
        loss_weight: float = 1.0,
        name: str | None = None,
    ) -> None:
        check_one_of('subset', subset, SUBSETS)
        reads = dict.fromkeys((image, text), VECTOR)
        reads |= dict.fromkeys((prototypes_image, prototypes_text), TABLE)
        super().__init__(reads, group, loss_weight, name)
        self.image = image
        self.text = text
        self.tables = {'image': prototypes_image, 'text': prototypes_text}
        self.subset = subset
        self.learner = (
            None
            if learner is None
            else build_part(
                PROMPT_LEARNERS,
                learner,
                'PrototypeContrastHead.learner',
                dict(num_ids=num_ids, channels=in_channels),
            )
        )
        self.criterion = PrototypeContrastLoss(tau, reduce)

    def terms(self, bundle: FeatureBundle) -> dict[str, Tensor]:
        """Return the term of each modality."""
        image, labels = self.select(bundle, self.image)
        text, _ = self.select(bundle, self.text)
        instances = {'image': image, 'text': text}
        prototypes = self.prompt(bundle, instances, labels)
        return {
            m: self.criterion(instances[m], prototypes[m], labels) for m in instances
        }

    def prompt(
        self, bundle: FeatureBundle, instances: dict[str, Tensor], labels: Tensor
    ) -> dict[str, Tensor]:
        """Return the prototype of each row's identity by modality, ``(N, C)`` each."""
        initial = {m: bundle.table(name) for m, name in self.tables.items()}
        if self.learner is not None and self.subset == 'all':
            every = self.learner(initial, instances)
            return {m: p[labels] for m, p in every.items()}
        # A row each, though two may be of one person: then nothing waits for the device
        initial = {m: table[labels] for m, table in initial.items()}
        if self.learner is None:
            return initial
        return self.learner(initial, instances, labels)

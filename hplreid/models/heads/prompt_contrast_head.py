"""Stage I: contrast of pictures with the prompts of their identities."""

from collections.abc import Sequence

from torch import Tensor

from hplreid.models.losses import SupConLoss
from hplreid.registry import HEADS
from hplreid.structures import FeatureBundle

from .base_head import BaseHead


@HEADS.register_module()
class PromptContrastHead(BaseHead):
    """L_t2i and L_i2t of HPL's Eq. 8 and 9, as supervised contrast, which they equal.

    Terms: ``i2t`` and ``t2i``; with several image features ``i2t_<feature>`` and
    ``t2i_<feature>`` for each, all added up.

    Args:
        image: Feature, or features, of pictures that the prompts are learnt from.
            Defaults to ``'v'``, as in the paper.
        prompt: Feature of the identity's prompt. Defaults to ``'prompt_identity'``.
        similarity: ``'cosine'`` or ``'dot'``. Defaults to ``'cosine'``.
        tau: Temperature; None is 0.02 for ``'cosine'`` and 1 for ``'dot'``. The paper
            has none, which is 1. Defaults to None.
        group: Rows read. Defaults to ``'all'``.
        loss_weight: Defaults to 1.
        name: Defaults to ``'prompt_contrast'``.

    Raises:
        ValueError: An argument has no legal value.
    """

    default_name = 'prompt_contrast'

    def __init__(
        self,
        image: str | Sequence[str] = 'v',
        prompt: str = 'prompt_identity',
        similarity: str = 'cosine',
        tau: float | None = None,
        group: str = 'all',
        loss_weight: float = 1.0,
        name: str | None = None,
    ) -> None:
        images = (image,) if isinstance(image, str) else tuple(image)
        if not images or len(set(images)) != len(images):
            raise ValueError(f'image={image!r}: expected distinct names of features.')
        super().__init__((*images, prompt), group, loss_weight, name)
        self.images = images
        self.prompt = prompt
        self.criterion = SupConLoss(similarity, tau)

    def terms(self, bundle: FeatureBundle) -> dict[str, Tensor]:
        """Return both directions for each feature of pictures."""
        prompt, labels = self.select(bundle, self.prompt)
        terms = {}
        for feature in self.images:
            image, _ = self.select(bundle, feature)
            suffix = f'_{feature}' if len(self.images) > 1 else ''
            both = self.criterion(image, prompt, labels)
            terms[f'i2t{suffix}'], terms[f't2i{suffix}'] = both
        return terms

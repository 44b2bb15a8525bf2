"""Contrast of images with prompts: those of identities, or of single images."""

from collections.abc import Sequence

from torch import Tensor

from hplreid.models.losses import SupConLoss
from hplreid.registry import HEADS
from hplreid.structures import FeatureBundle
from hplreid.utils.argument_checks import check_one_of

from .base_head import BaseHead, vectors

DIRECTIONS = ('i2t', 't2i')


@HEADS.register_module()
class PromptContrastHead(BaseHead):
    """L_t2i and L_i2t of HPL's Eq. 8 and 9, as supervised contrast, which they equal.

    With ``prompt='prompt_image'`` it is L_SupCon of PromptSG, Eq. 5 and 6 with the
    minus sign and the mean over positives that they lack in print.

    Terms: ``i2t`` and ``t2i``; with several image features ``i2t_<feature>`` and
    ``t2i_<feature>`` for each, all added up.

    Args:
        image: Feature, or features, of images that the prompts are learned from.
            Defaults to ``'v'``, as in the paper.
        prompt: Feature of the prompt. Defaults to ``'prompt_identity'``.
        similarity: ``'cosine'`` or ``'dot'``. Defaults to ``'cosine'``.
        tau: Temperature; None is 0.02 for ``'cosine'`` and 1 for ``'dot'``. HPL's paper
            has none, which is 1; PromptSG's doesn't tell its own. Defaults to None.
        directions: Any of ``'i2t'`` and ``'t2i'``. Defaults to both.
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
        directions: Sequence[str] = DIRECTIONS,
        group: str = 'all',
        loss_weight: float = 1.0,
        name: str | None = None,
    ) -> None:
        images = (image,) if isinstance(image, str) else tuple(image)
        if not images or len(set(images)) != len(images):
            raise ValueError(f'image={image!r}: expected distinct names of features.')
        if (
            isinstance(directions, str)
            or not directions
            or len(set(directions)) != len(directions)
        ):
            raise ValueError(
                f'directions={directions!r}: expected distinct ones of {DIRECTIONS}.'
            )
        for direction in directions:
            check_one_of('directions', direction, DIRECTIONS)
        super().__init__(vectors(*images, prompt), group, loss_weight, name)
        self.images = images
        self.prompt = prompt
        self.directions = tuple(directions)
        self.criterion = SupConLoss(similarity, tau)

    def terms(self, bundle: FeatureBundle) -> dict[str, Tensor]:
        """Return the chosen directions for each feature of images."""
        prompt, labels = self.select(bundle, self.prompt)
        terms = {}
        for feature in self.images:
            image, _ = self.select(bundle, feature)
            suffix = f'_{feature}' if len(self.images) > 1 else ''
            both = self.criterion(image, prompt, labels)
            for direction, value in zip(DIRECTIONS, both, strict=True):
                if direction in self.directions:
                    terms[f'{direction}{suffix}'] = value
        return terms

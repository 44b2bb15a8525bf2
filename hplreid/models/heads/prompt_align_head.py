"""Stage II: alignment of features with the prompts of the other modality."""

from collections.abc import Sequence

from torch import Tensor

from hplreid.models.losses import PairedDistanceLoss
from hplreid.registry import HEADS
from hplreid.structures import FeatureBundle
from hplreid.utils.argument_checks import check_one_of

from .base_head import BaseHead, vectors

TERMS = ('tgps', 'vgps')
PAIRINGS = ('cross', 'self')


@HEADS.register_module()
class PromptAlignHead(BaseHead):
    """L_ILPA of HPL's Eq. 10: ``mean ||gt - v||^2 + mean ||gv - t||^2``.

    The first term, ``tgps``, is text-guided: the prompt made from the caption
    supervises the image. The second, ``vgps``, is vision-guided, the other way
    round. That is Eq. 10 with the prompts of Eq. 5; the prose around Eq. 10 names them
    the other way, which ``pairing='self'`` follows: gv with v, gt with t.

    Args:
        prompt_text: gt, the prompt made from captions. Defaults to ``'prompt_text'``.
        prompt_image: gv, that made from images. Defaults to ``'prompt_image'``.
        image: v. Defaults to ``'v'``.
        text: t. Defaults to ``'t'``.
        terms: Any of ``'tgps'`` and ``'vgps'``. Defaults to both.
        pairing: ``'cross'`` or ``'self'``. Defaults to ``'cross'``.
        distance: ``'l2norm'`` (2 - 2 cos) or ``'raw'`` (the paper).
            Defaults to ``'l2norm'``.
        detach_prompt: Whether prompts are constants, so that only v and t learn.
            Not with trained inversion networks: then the regularization alone would
            train these, and a constant is its optimum. Defaults to False.
        group: Rows read. Defaults to ``'captioned'``.
        loss_weight: Defaults to 1; the paper has 0.4.
        name: Defaults to ``'prompt_align'``.

    Raises:
        ValueError: An argument has no legal value.
    """

    default_name = 'prompt_align'

    def __init__(
        self,
        prompt_text: str = 'prompt_text',
        prompt_image: str = 'prompt_image',
        image: str = 'v',
        text: str = 't',
        terms: Sequence[str] = TERMS,
        pairing: str = 'cross',
        distance: str = 'l2norm',
        detach_prompt: bool = False,
        group: str = 'captioned',
        loss_weight: float = 1.0,
        name: str | None = None,
    ) -> None:
        if isinstance(terms, str) or not terms or len(set(terms)) != len(terms):
            raise ValueError(f'terms={terms!r}: expected distinct ones of {TERMS}.')
        for term in terms:
            check_one_of('terms', term, TERMS)
        check_one_of('pairing', pairing, PAIRINGS)
        check_one_of('distance', distance, ('raw', 'l2norm'))
        prompts = (prompt_text, prompt_image)
        if pairing == 'self':
            prompts = (prompt_image, prompt_text)
        pairs = dict(zip(TERMS, zip(prompts, (image, text), strict=True), strict=True))
        chosen = {term: pairs[term] for term in terms}
        reads = [feature for pair in chosen.values() for feature in pair]
        super().__init__(vectors(*reads), group, loss_weight, name)
        self.pairs = chosen
        self.detach_prompt = detach_prompt
        self.criterion = PairedDistanceLoss(distance)

    def compared(self) -> list[list[str]]:
        """See :class:`BaseHead`."""
        return [list(pair) for pair in self.pairs.values()]

    def terms(self, bundle: FeatureBundle) -> dict[str, Tensor]:
        """Return the chosen terms."""
        terms = {}
        for term, (prompt, target) in self.pairs.items():
            a, _ = self.select(bundle, prompt)
            b, _ = self.select(bundle, target)
            terms[term] = self.criterion(a.detach() if self.detach_prompt else a, b)
        return terms

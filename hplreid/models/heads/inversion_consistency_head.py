"""Stage I: prompts of instances agree with the features they were inverted from."""

from collections.abc import Sequence

from torch import Tensor

from hplreid.models.losses import PairedDistanceLoss
from hplreid.registry import HEADS
from hplreid.structures import FeatureBundle
from hplreid.utils.argument_checks import check_one_of

from .base_head import GROUPS, BaseHead, vectors

DEFAULT_PAIRS = (('prompt_image', 'v', 'all'), ('prompt_text', 't', 'captioned'))


@HEADS.register_module()
class InversionConsistencyHead(BaseHead):
    """L_ic of HPL's Eq. 6: ``mean_B ||gv - v||^2 + mean_B_T ||gt - t||^2``.

    Terms: ``<prompt>_<target>`` for each pair. Targets aren't detached: in stage I
    the towers are frozen anyway.

    Args:
        pairs: (prompt, target, rows) each; the rows are ``'all'``, ``'captioned'`` or
            ``'image_only'``. Defaults to those of the equation.
        distance: ``'l2norm'`` (2 - 2 cos) or ``'raw'`` (the paper).
            Defaults to ``'l2norm'``.
        loss_weight: Defaults to 1.
        name: Defaults to ``'inversion'``.

    Raises:
        ValueError: An argument has no legal value.
    """

    default_name = 'inversion'

    def __init__(
        self,
        pairs: Sequence[Sequence[str]] = DEFAULT_PAIRS,
        distance: str = 'l2norm',
        loss_weight: float = 1.0,
        name: str | None = None,
    ) -> None:
        checked = [_checked(pair) for pair in pairs]
        if not checked or len({pair[:2] for pair in checked}) != len(checked):
            raise ValueError(f'pairs={pairs!r}: expected distinct pairs of features.')
        check_one_of('distance', distance, ('raw', 'l2norm'))
        super().__init__(
            vectors(*(feature for pair in checked for feature in pair[:2])),
            loss_weight=loss_weight,
            name=name,
        )
        self.pairs = checked
        self.criterion = PairedDistanceLoss(distance)

    def pairs_read(self) -> list[tuple[str, str]]:
        """See :class:`BaseHead`."""
        return [(name, pair[2]) for pair in self.pairs for name in pair[:2]]

    def compared(self) -> list[list[str]]:
        """See :class:`BaseHead`."""
        return [list(pair[:2]) for pair in self.pairs]

    def terms(self, bundle: FeatureBundle) -> dict[str, Tensor]:
        """Return one term a pair."""
        terms = {}
        for prompt, target, group in self.pairs:
            a, _ = self.select(bundle, prompt, group)
            b, _ = self.select(bundle, target, group)
            terms[f'{prompt}_{target}'] = self.criterion(a, b)
        return terms


def _checked(pair: Sequence[str]) -> tuple[str, str, str]:
    if isinstance(pair, str) or len(pair) != 3 or pair[2] not in GROUPS:
        raise ValueError(
            f'pairs: {pair!r} is not (prompt, target, rows) with rows one of '
            f'{list(GROUPS)}.'
        )
    return pair[0], pair[1], pair[2]

"""Every swap trains a step and encodes, or is refused in words; see docs/swaps.md."""

import random

import pytest

from hplreid.models import backbones, heads, inversion, losses, necks, prompt_learners
from hplreid.registry import LOSSES
from hplreid.utils.user_error import UserError
from tests.test_models.test_reid.tiny import add_nano_arch

from . import parts
from .cases import all_swaps, head_swaps
from .methods import METHODS
from .run import BREAKS, REFUSED, TRAINS, build, try_swap

SAMPLED = 40
_LARGE = ('EfficientNet', 'Res2Net', 'RegNet', 'RepVGG', 'MobileNet', '224')


@pytest.fixture(scope='module', autouse=True)
def _nano(tmp_path_factory):
    add_nano_arch(tmp_path_factory.mktemp('arch'))


def sample():
    """Return swaps of the whole matrix, the same ones every time; none that are slow.

    Among them are all towers of other code bases in the place of BoT's.
    """
    swaps = [s for s in all_swaps() if not any(name in s.part for name in _LARGE)]
    first = [s for s in swaps if (s.method, s.slot) == ('BoT', 'image_encoder')]
    return first + random.Random(0).sample(
        [s for s in swaps if s not in first], SAMPLED
    )


@pytest.mark.parametrize('swap', sample(), ids=str)
def test_a_swap_trains_or_is_refused(swap):
    outcome = try_swap(swap)
    assert outcome.kind in (TRAINS, REFUSED), outcome.message
    assert outcome.kind == TRAINS or len(outcome.message) > 30


@pytest.mark.exhaustive
def test_every_swap_trains_or_is_refused():
    broken = {}
    for swap in all_swaps():
        outcome = try_swap(swap)
        if outcome.kind == BREAKS:
            broken[str(swap)] = outcome.message
    assert not broken


def registered(room):
    """Return the names of what a room registers."""
    return {n for n in room.__all__ if isinstance(getattr(room, n), type)}


def test_the_matrix_has_every_registered_part():
    towers = {n for n in registered(backbones) if hasattr(getattr(backbones, n), 'run')}
    assert towers <= parts.TOWERS.keys()
    assert registered(necks) - {'BaseNeck'} <= parts.NECKS.keys()
    assert registered(heads) - {'BaseHead'} <= parts.HEADS.keys()
    assert registered(inversion) - {'BaseInversion'} == parts.INVERSIONS.keys()
    known = registered(prompt_learners) - {'PromptTemplate'}
    assert known == parts.PROMPT_LEARNERS.keys()
    types = {config['type'] for config in METHODS.values()}
    assert types == {
        'ImageReID',
        'CLIPReID',
        'PromptSG',
        'DualEncoder',
        'Propot',
        'HPL',
    }


def test_the_matrix_has_every_registered_loss_by_a_head_that_holds_it():
    held = set()
    for method in ('HPL', 'Propot'):
        for swap in head_swaps(method):
            if '(' in swap.slot or swap.part.startswith('mmpretrain'):
                continue
            try:
                model = build(swap)
            except UserError:
                continue
            held |= {type(module).__name__ for module in model.heads.modules()}
    assert registered(losses) <= held
    assert registered(losses) == set(LOSSES.module_dict)

"""The option ``leak`` of joint training: what it can be, and when it can't be done."""

from ..base import BaseReIDDataset
from .identity_matching import IDENTITY_MATCHERS, UNMATCHABLE_PAIRS, Match

LEAK_OPTIONS = {
    'none': 'nothing was to be removed',
    'image': "images that are in the other task's test split",
    'identity': 'people who are in a held-out split',
}
_CHOICES = (
    "leak='identity' leaves out every item of a person in either test split or in the "
    "captioned set's val (the honest choice); leak='image' leaves out only the exact "
    "images that are in the other task's test split; leak='none' trains on everything"
)


def check_leak_option(pair: tuple[str, str], leak: str | None) -> None:
    """Check that ``leak`` is said where it must be, and can be done.

    Args:
        pair: Names of the text-image and of the image benchmark.
        leak: The option.

    Raises:
        ValueError: It isn't known, is missing, or can't be done for this pair.
    """
    if leak is not None and leak not in LEAK_OPTIONS:
        raise ValueError(
            f'leak must be one of {[*LEAK_OPTIONS]}, got {leak!r}. {_CHOICES}.'
        )
    names = ' and '.join(pair)
    if pair in IDENTITY_MATCHERS and leak is None:
        raise ValueError(
            f'{names} share people, so the training set of one task holds people of '
            f"the other's test split. Say what to do: {_CHOICES}."
        )
    if pair in UNMATCHABLE_PAIRS and leak != 'none':
        wrong = "leak isn't set" if leak is None else f"leak='{leak}' can't be done"
        raise ValueError(
            f'{names} share people ({UNMATCHABLE_PAIRS[pair]}), so it can not be told who is who '
            f"and nothing can be left out: {wrong}. leak='none' trains on everything, "
            "people of the other task's test split included: say so where you report "
            'numbers, or join other sets.'
        )
    if pair not in IDENTITY_MATCHERS and leak in ('image', 'identity'):
        raise ValueError(
            f"leak='{leak}' can't be done: who of {names} is the same person isn't "
            'known. Add the pair to hplreid/datasets/correspondence.py, or leave leak '
            'out.'
        )


def check_original_pids(
    i2i: BaseReIDDataset, match: Match | None, labels: str, leak: str | None
) -> None:
    """Check that people can be matched by the numbers in a copy of the image set.

    Raises:
        ValueError: They must be, and the copy may have numbered people anew.
    """
    if match is None or i2i.original_pids or (labels, leak) == ('disjoint', 'none'):
        return
    raise ValueError(
        f"{i2i.name}: '{i2i.data_root}' is a copy in another layout, which may have "
        'numbered people anew, so it can not be told who is who. Use the original '
        "layout, or labels='disjoint' with leak='none'."
    )

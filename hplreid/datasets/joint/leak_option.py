"""The options ``leak`` and ``protect`` of joint training: when which is possible."""

from collections.abc import Sequence

from ..base import BaseReIDDataset
from .identity_matching import IDENTITY_MATCHERS, UNMATCHABLE_PAIRS, IdentityMatcher

LEAK_OPTIONS = {
    'none': 'nothing',
    'image': "images in the other task's test split",
    'identity': 'identities in a held-out split',
}
"""Choices of ``leak``, and what each removes."""
TASKS = ('t2i', 'i2i')
"""The tasks whose held-out splits may be protected."""
_CHOICES = (
    "leak='identity' removes all items of an identity in either test split or in the "
    "t2i dataset's val (recommended); leak='image' only removes images in the other "
    "task's test split; leak='none' removes nothing"
)


def check_leak_option(
    pair: tuple[str, str], leak: str | None, protect: Sequence[str] = TASKS
) -> None:
    """Check that ``leak`` is set where it must be, and possible for a pair.

    Args:
        pair: Names of the t2i and of the i2i benchmark.
        leak: The option.
        protect: Tasks whose held-out splits are protected.

    Raises:
        ValueError: ``leak`` is unknown, missing, or impossible for this pair;
            ``protect`` doesn't list tasks, or there is nothing to protect them from.
    """
    tasks = [protect] if isinstance(protect, str) else list(protect)
    if isinstance(protect, str) or not tasks or not {*tasks} <= {*TASKS}:
        raise ValueError(f'protect={protect!r}: expected any of {[*TASKS]}.')
    if {*tasks} != {*TASKS} and leak in (None, 'none'):
        raise ValueError(
            f'protect={protect!r}: leak={leak!r} removes nothing from training. '
            f'{_CHOICES}.'
        )
    if leak is not None and leak not in LEAK_OPTIONS:
        raise ValueError(
            f'leak must be one of {[*LEAK_OPTIONS]}, got {leak!r}. {_CHOICES}.'
        )
    names = ' and '.join(pair)
    if pair in IDENTITY_MATCHERS and leak is None:
        raise ValueError(
            f'{names} share identities, so the training set of one task contains '
            f"identities of the other's test split. Set leak: {_CHOICES}."
        )
    if pair in UNMATCHABLE_PAIRS and leak != 'none':
        problem = 'leak is not set' if leak is None else f"leak='{leak}' is impossible"
        raise ValueError(
            f'{names} share identities, but these cannot be matched '
            f'({UNMATCHABLE_PAIRS[pair]}), so none can be removed: {problem}. '
            "leak='none' also trains on identities of the other task's test split: "
            'state this where you report scores, or join other datasets.'
        )
    if pair not in IDENTITY_MATCHERS and leak in ('image', 'identity'):
        raise ValueError(
            f"leak='{leak}' is impossible: it is unknown how identities of {names} "
            'correspond. Add the pair to IDENTITY_MATCHERS in '
            'hplreid/datasets/joint/identity_matching.py, or remove leak.'
        )


def check_original_pids(
    i2i: BaseReIDDataset, matcher: IdentityMatcher | None, labels: str, leak: str | None
) -> None:
    """Check that the i2i dataset has its original pids, if identities are matched.

    Raises:
        ValueError: The pids are needed, and the dataset is a copy that may be
            renumbered.
    """
    if matcher is None or i2i.original_pids or (labels, leak) == ('disjoint', 'none'):
        return
    raise ValueError(
        f"{i2i.name}: '{i2i.data_root}' is a copy in another layout whose identities "
        'may be renumbered, so they cannot be matched. Use the original layout, or '
        "labels='disjoint' with leak='none'."
    )

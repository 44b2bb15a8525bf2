"""Matching identities of text-to-image and image-to-image benchmarks."""

import os
import re
from collections.abc import Callable, Iterable

from ..benchmarks.msmt17 import TEST_OFFSET
from ..benchmarks.msmt17_lists import read_identity
from ..errors import AnnotationError
from ..items import Item

Identity = tuple[str, int]
"""An identity of either dataset: ``('t2i', pid)`` or ``('i2i', pid)``."""

IdentityMatcher = Callable[[Item], int | None]
"""A function that returns the i2i dataset's pid of a captioned image's identity, or
None for an image from elsewhere."""

_MARKET_NAME = re.compile(r'[0-9]{4}')


def read_market1501_pid(item: Item) -> int | None:
    """Return Market-1501's pid of a CUHK-PEDES image; None for images from elsewhere.

    Some images of CUHK-PEDES are Market-1501's. They are in ``imgs/Market/``, and their
    file names start with the four digits of the Market-1501 identity.

    Raises:
        AnnotationError: An image in ``Market/`` has no such number.

    Example:
        >>> read_market1501_pid({'img_path': 'imgs/Market/0002_c1s1_000451_03.jpg'})
        2
    """
    folder, name = os.path.split(item['img_path'])
    if os.path.basename(folder) != 'Market':
        return None
    number = _MARKET_NAME.match(name)
    if number is None:
        raise AnnotationError(
            f"'{item['img_path']}' is in Market/ but its name does not start with "
            'the four digits of its Market-1501 identity, as in '
            '0002_c1s1_000451_03.jpg.'
        )
    return int(number[0])


def read_msmt17_pid(item: Item) -> int:
    """Return the pid that :class:`MSMT17` gives to an ICFG-PEDES image.

    ICFG-PEDES kept MSMT17's folders: ``imgs/train/0012/`` is training identity 12,
    ``imgs/test/0012/`` is test identity 12, which is another identity.

    Raises:
        AnnotationError: An image isn't in such a folder.

    Example:
        >>> read_msmt17_pid({'img_path': 'imgs/test/0012/0012_000_01_a.jpg'})
        10012
    """
    path = item['img_path']
    pid = read_identity(path)
    part = os.path.basename(os.path.dirname(os.path.dirname(path)))
    if pid is None or part not in ('train', 'test'):
        raise AnnotationError(
            f"'{path}' has no MSMT17 identity. Expected a folder of four digits in "
            'train/ or test/, as in '
            'test/0627/0627_010_05_0303afternoon_1591_0.jpg.'
        )
    return pid + (TEST_OFFSET if part == 'test' else 0)


IDENTITY_MATCHERS: dict[tuple[str, str], IdentityMatcher] = {
    ('CUHK-PEDES', 'Market-1501'): read_market1501_pid,
    ('ICFG-PEDES', 'MSMT17'): read_msmt17_pid,
}
"""Pairs of benchmarks (t2i, i2i) with common identities, and how to match these."""

UNMATCHABLE_PAIRS: dict[tuple[str, str], str] = {
    ('RSTPReid', 'MSMT17'): (
        'RSTPReid was drawn from MSMT17, but its images and identities were renamed '
        'and renumbered'
    ),
    ('CUHK-PEDES', 'CUHK03-NP'): (
        'a part of CUHK-PEDES was drawn from CUHK03, but its file names do not contain '
        "CUHK03-NP's numbers"
    ),
}
"""Pairs with common identities, and why these can't be matched."""


class IdentityGroups:
    """A union-find structure that groups the identities of one person.

    A group can hold several identities of a dataset: two identities of CUHK-PEDES with
    images of one identity of Market-1501 are the same person.

    Example:
        >>> groups = IdentityGroups()
        >>> groups.join(('t2i', 4), ('i2i', 9))
        >>> groups.join(('t2i', 3), ('i2i', 9))
        >>> groups.find(('i2i', 9))
        ('t2i', 3)
    """

    def __init__(self) -> None:
        self._parent: dict[Identity, Identity] = {}

    def find(self, identity: Identity) -> Identity:
        """Return the representative of an identity's group."""
        parent = self._parent.setdefault(identity, identity)
        while parent != self._parent[parent]:
            parent = self._parent[parent]
        self._parent[identity] = parent
        return parent

    def join(self, a: Identity, b: Identity) -> None:
        """Merge the groups of two identities."""
        # The lowest t2i identity represents the group, or the lowest i2i one
        first, second = sorted((self.find(a), self.find(b)), key=_sort_key)
        self._parent[second] = first


def _sort_key(identity: Identity) -> tuple[bool, int]:
    return (identity[0] != 't2i', identity[1])


def group_identities(
    t2i_items: Iterable[Item], matcher: IdentityMatcher
) -> IdentityGroups:
    """Group each t2i identity with the i2i identity that its images show.

    Args:
        t2i_items: Items of all splits that are used.
        matcher: Matches a captioned image to an i2i identity.
    """
    groups = IdentityGroups()
    for item in t2i_items:
        if item['img_path'] is not None and (pid := matcher(item)) is not None:
            groups.join(('t2i', item['pid']), ('i2i', pid))
    return groups

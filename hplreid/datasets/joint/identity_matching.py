"""Which identities of a text-image and of an image set are the same person."""

import os
import re
from collections.abc import Callable, Iterable

from ..benchmarks.msmt17 import TEST_OFFSET
from ..benchmarks.msmt17_lists import read_identity
from ..errors import AnnotationError
from ..items import Item

Node = tuple[str, int]
"""An identity: ``('t2i', pid)`` or ``('i2i', pid)``."""

Match = Callable[[Item], int | None]
"""Takes a text-image item with an image; gives its identity number in the image set,
or None where it comes from elsewhere."""

_MARKET_NAME = re.compile(r'[0-9]{4}')


def read_market1501_pid(item: Item) -> int | None:
    """Return Market-1501's number of the person on a CUHK-PEDES image.

    A part of CUHK-PEDES was drawn from Market-1501. It lies in ``imgs/Market/`` and
    kept the identity as the first four digits of the file name.

    Raises:
        AnnotationError: An image in ``Market/`` has no such number.
    """
    folder, name = os.path.split(item['img_path'])
    if os.path.basename(folder) != 'Market':
        return None
    number = _MARKET_NAME.match(name)
    if number is None:
        raise AnnotationError(
            f"'{item['img_path']}' lies in Market/ but its name does not start with "
            'the four digits of its Market-1501 identity, as in '
            '0002_c1s1_000451_03.jpg.'
        )
    return int(number[0])


def read_msmt17_pid(item: Item) -> int:
    """Return :class:`MSMT17`'s number of the person on an ICFG-PEDES image.

    ICFG-PEDES kept MSMT17's folders: ``imgs/train/0012/`` is training identity 12,
    ``imgs/test/0012/`` is test identity 12, another person.

    Raises:
        AnnotationError: An image doesn't lie in such a folder.
    """
    path = item['img_path']
    pid = read_identity(path)
    part = os.path.basename(os.path.dirname(os.path.dirname(path)))
    if pid is None or part not in ('train', 'test'):
        raise AnnotationError(
            f"'{path}' does not tell its MSMT17 identity. Expected a folder of four "
            'digits in train/ or test/, as in '
            'test/0627/0627_010_05_0303afternoon_1591_0.jpg.'
        )
    return pid + (TEST_OFFSET if part == 'test' else 0)


IDENTITY_MATCHERS: dict[tuple[str, str], Match] = {
    ('CUHK-PEDES', 'Market-1501'): read_market1501_pid,
    ('ICFG-PEDES', 'MSMT17'): read_msmt17_pid,
}
"""Pairs of benchmarks (text-image, image) that share people, and how to tell."""

UNMATCHABLE_PAIRS: dict[tuple[str, str], str] = {
    ('RSTPReid', 'MSMT17'): (
        'RSTPReid was drawn from MSMT17, but its images and people were given new '
        'names and numbers'
    ),
    ('CUHK-PEDES', 'CUHK03-NP'): (
        'a part of CUHK-PEDES was drawn from CUHK03, but its file names do not hold '
        "CUHK03-NP's numbers"
    ),
}
"""Pairs that share people, and why it can't be told who is who."""


class IdentityGroups:
    """Identities of both sets, those of one person in one group.

    A group can hold more than one of each set: two identities of CUHK-PEDES with
    images of the same one of Market-1501 are one person.
    """

    def __init__(self) -> None:
        self._parent: dict[Node, Node] = {}

    def find(self, node: Node) -> Node:
        """Return the representative of a node's group: its first member."""
        parent = self._parent.setdefault(node, node)
        while parent != self._parent[parent]:
            parent = self._parent[parent]
        self._parent[node] = parent
        return parent

    def join(self, a: Node, b: Node) -> None:
        """Make two groups one."""
        # The text-image identity leads where there is one: sorted last otherwise
        first, second = sorted((self.find(a), self.find(b)), key=_rank)
        self._parent[second] = first


def _rank(node: Node) -> tuple[bool, int]:
    return (node[0] != 't2i', node[1])


def group_identities(t2i_items: Iterable[Item], match: Match) -> IdentityGroups:
    """Join each text-image identity with that of the image set that it shows.

    Args:
        t2i_items: Items of every split that matters.
        match: How to tell.
    """
    groups = IdentityGroups()
    for item in t2i_items:
        if item['img_path'] is not None and (pid := match(item)) is not None:
            groups.join(('t2i', item['pid']), ('i2i', pid))
    return groups

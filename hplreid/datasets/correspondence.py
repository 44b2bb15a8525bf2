"""Which identities of a text-image and of an image set are the same person."""

import os
import re
from collections.abc import Callable, Iterable

from .errors import AnnotationError
from .items import Item

Node = tuple[str, int]
"""An identity: ``('t2i', pid)`` or ``('i2i', pid)``."""

Match = Callable[[Item], int | None]
"""Takes a text-image item with a picture; gives its identity number in the image set,
or None where it comes from elsewhere."""

_MARKET_NAME = re.compile(r'\d{4}')


def market_pid(item: Item) -> int | None:
    """Return Market-1501's number of the person on a CUHK-PEDES picture.

    A part of CUHK-PEDES was drawn from Market-1501. It lies in ``imgs/Market/`` and
    kept the identity as the first four digits of the file name.

    Raises:
        AnnotationError: A picture in ``Market/`` has no such number.
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


KNOWN: dict[tuple[str, str], Match] = {('CUHK-PEDES', 'Market-1501'): market_pid}
"""Pairs of benchmarks (text-image, image) that share people, and how to tell."""


class IdentityGroups:
    """Identities of both sets, those of one person in one group.

    A group can hold more than one of each set: two identities of CUHK-PEDES with
    pictures of the same one of Market-1501 are one person.
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

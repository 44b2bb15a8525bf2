"""Removing training items that show what the test split of the other task shows."""

import hashlib
import os
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .correspondence import IdentityGroups, Match, Node
from .items import Item


class Pair(NamedTuple):
    """Items of a text-image set and of an image set."""

    t2i: list[Item]
    i2i: list[Item]


def remove_identities(train: Pair, test: Pair, groups: IdentityGroups) -> Pair:
    """Leave out every item of a person in either test split.

    Distractors of the image set (identity 0) are nobody.
    """
    tested: set[Node] = {groups.find(('t2i', item['pid'])) for item in test.t2i}
    tested |= {groups.find(('i2i', i['pid'])) for i in test.i2i if i['pid'] > 0}
    return Pair(
        [i for i in train.t2i if groups.find(('t2i', i['pid'])) not in tested],
        [i for i in train.i2i if groups.find(('i2i', i['pid'])) not in tested],
    )


def remove_pictures(train: Pair, test: Pair, match: Match) -> Pair:
    """Leave out every item whose picture is in the other task's test split."""
    shared_train = _from_image_set(train.t2i, match)
    shared_test = _from_image_set(test.t2i, match)
    t2i_leaks = find_same_pictures(shared_train, test.i2i)
    i2i_leaks = find_same_pictures(train.i2i, shared_test)
    return Pair(
        [i for i in train.t2i if i['img_path'] not in t2i_leaks],
        [i for i in train.i2i if i['img_path'] not in i2i_leaks],
    )


def find_same_pictures(items: Sequence[Item], others: Iterable[Item]) -> set[str]:
    """Return the paths of pictures that are among the others too.

    The same picture has the same file name but for the ending, or the same bytes. (One
    that was both renamed and encoded anew isn't found; removing identities finds it.)
    """
    mine = {item['img_path'] for item in items}
    theirs = {item['img_path'] for item in others if item['img_path'] is not None}
    stems = {_stem(path) for path in theirs}
    by_name = {path for path in mine if _stem(path) in stems}
    # Only files of one size can be equal, so few are ever read
    my_sizes = {path: os.path.getsize(path) for path in mine - by_name}
    their_sizes = {path: os.path.getsize(path) for path in theirs}
    common = set(my_sizes.values()) & set(their_sizes.values())
    digests = {_digest(path) for path, n in their_sizes.items() if n in common}
    by_bytes = {p for p, n in my_sizes.items() if n in common and _digest(p) in digests}
    return by_name | by_bytes


def _from_image_set(items: Iterable[Item], match: Match) -> list[Item]:
    return [i for i in items if i['img_path'] is not None and match(i) is not None]


def _stem(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0]


def _digest(path: str) -> bytes:
    with open(path, 'rb') as file:
        return hashlib.blake2b(file.read(), digest_size=16).digest()

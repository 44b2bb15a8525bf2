"""Finding training items that show what is held out for evaluation, in either task."""

import hashlib
import os
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ..items import Item
from .identity_matching import IdentityGroups, Match, Node


class Pair(NamedTuple):
    """Items of a text-image set and of an image set."""

    t2i: list[Item]
    i2i: list[Item]


class HeldOutSplit(NamedTuple):
    """A split that nothing is trained on."""

    name: str
    task: str
    items: list[Item]


class LeakReasons(NamedTuple):
    """For each training item the held-out splits that it leaks from, '' if none."""

    t2i: list[str]
    i2i: list[str]

    def keep(self, train: Pair) -> Pair:
        """Leave out every item for which there is a reason."""
        t2i = zip(train.t2i, self.t2i, strict=True)
        i2i = zip(train.i2i, self.i2i, strict=True)
        return Pair([i for i, why in t2i if not why], [i for i, why in i2i if not why])


def find_identity_leaks(
    train: Pair, held_out: Iterable[HeldOutSplit], groups: IdentityGroups
) -> LeakReasons:
    """Find every training item of a person in any held-out split.

    Distractors of the image set (identity 0) are nobody.
    """
    splits_of: dict[Node, list[str]] = {}
    for split in held_out:
        pids = {item['pid'] for item in split.items}
        if split.task == 'i2i':
            pids.discard(0)
        # Two numbers of one person lead to one group, which is named once
        for person in {groups.find((split.task, pid)) for pid in pids}:
            splits_of.setdefault(person, []).append(split.name)

    def reason(task: str, item: Item) -> str:
        return ' and '.join(splits_of.get(groups.find((task, item['pid'])), ()))

    return LeakReasons(
        [reason('t2i', item) for item in train.t2i],
        [reason('i2i', item) for item in train.i2i],
    )


def find_image_leaks(
    train: Pair, t2i_test: HeldOutSplit, i2i_test: HeldOutSplit, match: Match
) -> LeakReasons:
    """Find every training item whose image is in the other task's test split."""
    shared_train = _from_image_set(train.t2i, match)
    shared_test = _from_image_set(t2i_test.items, match)
    t2i_leaks = find_same_images(shared_train, _own(i2i_test.items))
    i2i_leaks = find_same_images(_own(train.i2i), shared_test)
    return LeakReasons(
        [i2i_test.name * (i['img_path'] in t2i_leaks) for i in train.t2i],
        [t2i_test.name * (i['img_path'] in i2i_leaks) for i in train.i2i],
    )


def find_same_images(mine: Mapping[str, int], theirs: Mapping[str, int]) -> set[str]:
    """Return the paths of my images that are among theirs too.

    The same image has the same identity and file name but for the ending, or the same
    bytes. (One that was both renamed and encoded anew isn't found; leaving out
    identities finds it.)

    Args:
        mine: Path and number of the identity, of one numbering with ``theirs``.
        theirs: The same.
    """
    stems = {(pid, _stem(path)) for path, pid in theirs.items()}
    by_name = {path for path, pid in mine.items() if (pid, _stem(path)) in stems}
    # Only files of one size can be equal, so few are ever read
    my_sizes = {path: os.path.getsize(path) for path in mine if path not in by_name}
    their_sizes = {path: os.path.getsize(path) for path in theirs}
    common = set(my_sizes.values()) & set(their_sizes.values())
    digests = {_digest(path) for path, n in their_sizes.items() if n in common}
    by_bytes = {p for p, n in my_sizes.items() if n in common and _digest(p) in digests}
    return by_name | by_bytes


def _own(items: Iterable[Item]) -> dict[str, int]:
    return {item['img_path']: item['pid'] for item in items}


def _from_image_set(items: Iterable[Item], match: Match) -> dict[str, int]:
    """Images that were drawn from the image set, with its numbers."""
    found = {}
    for item in items:
        if item['img_path'] is not None and (pid := match(item)) is not None:
            found[item['img_path']] = pid
    return found


def _stem(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0]


def _digest(path: str) -> bytes:
    with open(path, 'rb') as file:
        return hashlib.blake2b(file.read(), digest_size=16).digest()

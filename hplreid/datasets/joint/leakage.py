"""Finding training items that leak from held-out splits of either task."""

import hashlib
import os
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ..items import Item
from .identity_matching import Identity, IdentityGroups, IdentityMatcher


class JointItems(NamedTuple):
    """The items of a t2i and of an i2i dataset."""

    t2i: list[Item]
    i2i: list[Item]


class HeldOutSplit(NamedTuple):
    """A split that is used for evaluation only."""

    name: str
    task: str
    items: list[Item]


class LeakReasons(NamedTuple):
    """The held-out splits that each training item leaks from, '' if none."""

    t2i: list[str]
    i2i: list[str]

    def remove_leaks(self, train: JointItems) -> JointItems:
        """Return the items without a reason."""
        t2i = zip(train.t2i, self.t2i, strict=True)
        i2i = zip(train.i2i, self.i2i, strict=True)
        return JointItems(
            [item for item, reason in t2i if not reason],
            [item for item, reason in i2i if not reason],
        )


def find_identity_leaks(
    train: JointItems, held_out: Iterable[HeldOutSplit], groups: IdentityGroups
) -> LeakReasons:
    """Find every training item of an identity that is in any held-out split.

    Distractors of the i2i dataset (identity 0) are ignored.
    """
    splits_of: dict[Identity, list[str]] = {}
    for split in held_out:
        pids = {item['pid'] for item in split.items}
        if split.task == 'i2i':
            pids.discard(0)
        # A set: several identities may be in one group, which is added once
        for group in {groups.find((split.task, pid)) for pid in pids}:
            splits_of.setdefault(group, []).append(split.name)

    def reason(task: str, item: Item) -> str:
        return ' and '.join(splits_of.get(groups.find((task, item['pid'])), ()))

    return LeakReasons(
        [reason('t2i', item) for item in train.t2i],
        [reason('i2i', item) for item in train.i2i],
    )


def find_image_leaks(
    train: JointItems, tests: Iterable[HeldOutSplit], matcher: IdentityMatcher
) -> LeakReasons:
    """Find every training item whose image is in the other task's test split.

    Args:
        train: The training items of both tasks.
        tests: The test split of each task that is protected.
        matcher: Returns the i2i pid of a t2i item.
    """
    reasons = LeakReasons([''] * len(train.t2i), [''] * len(train.i2i))
    for test in tests:
        if test.task == 'i2i':
            images = _map_matched_images(train.t2i, matcher)
            leaks = find_same_images(images, _map_images(test.items))
            items, found = train.t2i, reasons.t2i
        else:
            others = _map_matched_images(test.items, matcher)
            leaks = find_same_images(_map_images(train.i2i), others)
            items, found = train.i2i, reasons.i2i
        found[:] = [test.name * (item['img_path'] in leaks) for item in items]
    return reasons


def find_same_images(images: Mapping[str, int], others: Mapping[str, int]) -> set[str]:
    """Return the paths of the images that are among the others too.

    Two images are the same if they have the same identity and the same file name
    without extension, or the same bytes. (An image that was both renamed and encoded
    again isn't found; ``leak='identity'`` removes it.)

    Args:
        images: Path -> pid; both mappings use the same pids.
        others: Path -> pid.
    """
    stems = {(pid, _stem(path)) for path, pid in others.items()}
    by_name = {path for path, pid in images.items() if (pid, _stem(path)) in stems}
    # Only files of equal size can have equal bytes, so few are read
    sizes = {path: os.path.getsize(path) for path in images if path not in by_name}
    other_sizes = {path: os.path.getsize(path) for path in others}
    common = set(sizes.values()) & set(other_sizes.values())
    digests = {_digest(path) for path, size in other_sizes.items() if size in common}
    by_bytes = {
        path
        for path, size in sizes.items()
        if size in common and _digest(path) in digests
    }
    return by_name | by_bytes


def _map_images(items: Iterable[Item]) -> dict[str, int]:
    """Map the path of each image to its pid."""
    return {item['img_path']: item['pid'] for item in items}


def _map_matched_images(
    items: Iterable[Item], matcher: IdentityMatcher
) -> dict[str, int]:
    """Map the path of each t2i image from the i2i dataset to its i2i pid."""
    pid_of = {}
    for item in items:
        if item['img_path'] is not None and (pid := matcher(item)) is not None:
            pid_of[item['img_path']] = pid
    return pid_of


def _stem(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0]


def _digest(path: str) -> bytes:
    with open(path, 'rb') as file:
        return hashlib.blake2b(file.read(), digest_size=16).digest()

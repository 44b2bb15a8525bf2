"""Overlap of two splits: images with equal bytes, and identities where matchable."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..errors import AnnotationError
from ..joint.identity_matching import IDENTITY_MATCHERS, UNMATCHABLE_PAIRS
from .checks.copies import group_by_content
from .file_inspection import FileFacts
from .split_reader import Split


@dataclass(frozen=True)
class Overlap:
    """The overlap of two splits of different datasets.

    Attributes:
        first: Name of a split.
        second: Name of the other split.
        images: Number of files of the first whose bytes are in the second.
        people: Number of common identities, counted in the i2i split; None if unknown.
        examples: The first few of the images.
        note: Why identities can't be counted.
    """

    first: str
    second: str
    images: int
    people: int | None = None
    examples: tuple[str, ...] = ()
    note: str = ''


def find_overlaps(
    first: Iterable[Split], second: Sequence[Split], facts: Mapping[str, FileFacts]
) -> list[Overlap]:
    """Compare each split of ``first`` with the splits of other datasets in ``second``.

    Returns:
        The overlap of each pair that has one, or is known to have one.
    """
    second_paths = {id(split): group_by_content(split, facts) for split in second}
    overlaps = []
    for one in first:
        paths = group_by_content(one, facts)
        for other in second:
            if one.source == other.source:
                continue
            other_paths = second_paths[id(other)]
            common = [digest for digest in paths if digest in other_paths]
            people, note = count_shared_identities(one, other)
            if common or people or note:
                images = sum(len(paths[digest]) for digest in common)
                examples = tuple(
                    f'{paths[d][0]} = {other_paths[d][0]}' for d in common[:3]
                )
                overlaps.append(
                    Overlap(one.name, other.name, images, people, examples, note)
                )
    return overlaps


def count_shared_identities(one: Split, other: Split) -> tuple[int | None, str]:
    """Count the identities that are in both a t2i and an i2i split.

    Returns:
        The number, None if the identities of the pair can't be matched; and why.
    """
    if one.task != 't2i':
        one, other = other, one
    pair = (one.benchmark, other.benchmark)
    if pair in UNMATCHABLE_PAIRS:
        return None, UNMATCHABLE_PAIRS[pair]
    matcher = IDENTITY_MATCHERS.get(pair)
    if matcher is None:
        return None, ''
    if not other.original_pids:
        return None, f'{other.name} may be renumbered'
    try:
        matched = {matcher(i) for i in one.items if i['img_path'] is not None}
    except AnnotationError as error:
        return None, str(error)
    pids = {item['pid'] for item in other.items}
    if pair[1] != 'MSMT17':  # which has no distractors: its identity 0 is ordinary
        pids.discard(0)
    return len(matched & pids), ''

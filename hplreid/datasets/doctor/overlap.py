"""What two splits share: images by their bytes, people where it can be told."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..errors import AnnotationError
from ..joint.identity_matching import IDENTITY_MATCHERS, UNMATCHABLE_PAIRS
from .checks.copies import group_by_content
from .file_inspection import FileFacts
from .split_reader import Split


@dataclass(frozen=True)
class Overlap:
    """What two splits of different datasets share.

    Attributes:
        first: Name of a split.
        second: Name of the other.
        images: Files of the first that are byte for byte in the second.
        people: Identities in both, counted in the image set; None if not known.
        examples: A few of the images.
        note: Why people can't be counted.
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
    """Compare each split of one side with each of the other, if of another dataset.

    Returns:
        Those pairs that share something, or of which it's known that they must.
    """
    contents = {id(split): group_by_content(split, facts) for split in second}
    overlaps = []
    for one in first:
        mine = group_by_content(one, facts)
        for other in second:
            if one.source == other.source:
                continue
            theirs = contents[id(other)]
            common = [digest for digest in mine if digest in theirs]
            people, note = count_shared_identities(one, other)
            if common or people or note:
                images = sum(len(mine[digest]) for digest in common)
                examples = tuple(f'{mine[d][0]} = {theirs[d][0]}' for d in common[:3])
                found = Overlap(one.name, other.name, images, people, examples, note)
                overlaps.append(found)
    return overlaps


def count_shared_identities(one: Split, other: Split) -> tuple[int | None, str]:
    """Count the people who are in a text-image and in an image split.

    Returns:
        How many, None if it can't be told or nothing is known of the pair; and why.
    """
    if one.task != 't2i':
        one, other = other, one
    pair = (one.benchmark, other.benchmark)
    if pair in UNMATCHABLE_PAIRS:
        return None, UNMATCHABLE_PAIRS[pair]
    match = IDENTITY_MATCHERS.get(pair)
    if match is None:
        return None, ''
    if not other.original_pids:
        return None, f'{other.name} may have numbered people anew'
    try:
        matched = {match(i) for i in one.items if i['img_path'] is not None}
    except AnnotationError as error:
        return None, str(error)
    numbers = {item['pid'] for item in other.items} - {0 if pair[1] != 'MSMT17' else -1}
    return len(matched & numbers), ''

"""The rows of own data: identity, camera, caption and split of each image."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from ..errors import AnnotationError, list_names
from ..items import Item

ROW_SPLITS = ('train', 'val', 'query', 'gallery', 'test')
_I2I = ('query', 'gallery')
_WHOLE_NUMBER = re.compile(r'([0-9]{1,18})(\.0*)?')


class Row(NamedTuple):
    """An image, or one of several captions of it.

    ``path`` includes the root folder, ``camid`` is -1 if unknown, ``split`` is one of
    ``ROW_SPLITS``.
    """

    path: str
    identity: str
    camid: int
    caption: str | None
    split: str


def number_identities(names: Iterable[str]) -> dict[str, int]:
    """Map every identity name to a number.

    If all names are whole numbers, these are kept; otherwise each name is numbered by
    its position in their sorted list.

    Raises:
        AnnotationError: One number is written in several ways (``7`` and ``007``).

    Example:
        >>> number_identities(['12', '3']), number_identities(['bob', 'anna', '3'])
        ({'12': 12, '3': 3}, {'3': 0, 'anna': 1, 'bob': 2})
    """
    ordered = sorted(set(names))
    parsed = ((name, parse_whole_number(name)) for name in ordered)
    numbers = {name: number for name, number in parsed if number is not None}
    counts = Counter(numbers.values())
    ambiguous = [name for name, number in numbers.items() if counts[number] > 1]
    if ambiguous:
        raise AnnotationError(
            f'Identities {list_names(ambiguous)} are the same numbers, written '
            'differently. Write each identity in one way.'
        )
    if len(numbers) < len(ordered):
        return {name: position for position, name in enumerate(ordered)}
    return numbers


def parse_whole_number(value: Any) -> int | None:  # noqa: ANN401
    """Return ``value`` as a whole number from 0, of at most 18 digits; None if invalid.

    ``3.0`` is accepted: pandas writes columns of whole numbers like that if some are
    missing.

    Example:
        >>> [parse_whole_number(value) for value in ('007', 3.0, -1, 'x')]
        [7, 3, None, None]
    """
    if isinstance(value, str):
        match = _WHOLE_NUMBER.fullmatch(value.strip())
        return int(match[1]) if match else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value if 0 <= value < 10**18 else None
    return None


def used_splits(split: str, task: str | None) -> tuple[str, ...]:
    """Return the row splits that a split of a dataset consists of."""
    return ('query', 'gallery') if task == 'i2i' else (split,)


def find_row_problems(
    rows: Sequence[Row], split: str, task: str | None, name: str, hint: str
) -> list[str]:
    """Return messages about what is missing for a split, empty if nothing is.

    Args:
        rows: All rows.
        split: ``'train'``, ``'val'`` or ``'test'``.
        task: ``'i2i'``, ``'t2i'``, or None for training.
        name: What the rows are read from, for the messages.
        hint: How to add an image to a split, with the placeholder ``{split}``.
    """
    counts = Counter(row.split for row in rows)
    summary = list_names([f'{s} {n:,}' for s, n in sorted(counts.items())]) or 'nothing'
    problems = [
        f"{name}: nothing is in split '{used}'; found: {summary}. "
        f'{hint.format(split=used)}'
        for used in used_splits(split, task)
        if not counts[used]
    ]
    if problems:
        return problems
    if task == 't2i' and not any(r.caption for r in rows if r.split == split):
        return [f"{name}: split '{split}' has no captions, so there are no queries."]
    query, gallery = ({r.identity for r in rows if r.split == s} for s in _I2I)
    if task == 'i2i' and not query & gallery:
        return [
            f'{name}: none of the {len(query):,} query identities '
            f'({list_names(sorted(query), 3)}) is in the gallery '
            f'({list_names(sorted(gallery), 3)}), so no query has a match.'
        ]
    return []


def make_items(
    rows: Iterable[Row], split: str, task: str | None, numbers: dict[str, int]
) -> list[Item]:
    """Return the items of a split, sorted by path and caption.

    Args:
        rows: All rows.
        split: ``'train'``, ``'val'`` or ``'test'``.
        task: ``'i2i'``: queries, then gallery. ``'t2i'``: images (gallery), then
            captions (queries). None for training: one item per row.
        numbers: Number of each identity.
    """
    used = [row for row in rows if row.split in used_splits(split, task)]
    used.sort(key=lambda r: (r.path, r.caption or ''))
    if task is None:
        return [_make_item(r, 'train', numbers, r.path, r.caption) for r in used]
    # One item per image, also for those with several captions
    images = list(dict.fromkeys(r._replace(caption=None) for r in used))
    if task == 'i2i':
        return [
            _make_item(r, s, numbers, r.path)
            for s in _I2I
            for r in images
            if r.split == s
        ]
    gallery = [_make_item(r, 'gallery', numbers, r.path) for r in images]
    captioned = [r for r in used if r.caption is not None]
    return gallery + [
        _make_item(r, 'query', numbers, None, r.caption) for r in captioned
    ]


def _make_item(
    row: Row,
    split: str,
    numbers: dict[str, int],
    path: str | None,
    caption: str | None = None,
) -> Item:
    return {
        'img_path': path,
        'pid': numbers[row.identity],
        'camid': row.camid,
        'caption': caption,
        'split': split,
    }

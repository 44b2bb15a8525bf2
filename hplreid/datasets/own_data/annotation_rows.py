"""Rows of one's own data: who is in which image, and what a split is made of."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from ..errors import AnnotationError, list_names
from ..items import Item

ROW_SPLITS = ('train', 'val', 'query', 'gallery', 'test')
_WHOLE = re.compile(r'([0-9]{1,18})(\.0*)?')


class Row(NamedTuple):
    """An image, or one of several captions of it.

    ``path`` can be opened as it is, ``camid`` is -1 where unknown, ``split`` is one of
    ``ROW_SPLITS``.
    """

    path: str
    identity: str
    camid: int
    caption: str | None
    split: str


def number_identities(names: Iterable[str]) -> dict[str, int]:
    """Give every identity a number.

    If all names are whole numbers, they are kept; else each gets its position in their
    sorted list.

    Raises:
        AnnotationError: One number is written in several ways (``7`` and ``007``).
    """
    ordered = sorted(set(names))
    numbers = ((name, parse_whole_number(name)) for name in ordered)
    known = {name: n for name, n in numbers if n is not None}
    times = Counter(known.values())
    twice = [name for name, number in known.items() if times[number] > 1]
    if twice:
        raise AnnotationError(
            f'Identities {list_names(twice)} are the same numbers, written differently. '
            'Write each identity in one way.'
        )
    if len(known) < len(ordered):
        return {name: position for position, name in enumerate(ordered)}
    return known


def parse_whole_number(value: Any) -> int | None:  # noqa: ANN401
    """Return a whole number from 0, of at most 18 digits; None if it isn't one.

    Programs that write tables turn whole numbers into ``3.0`` where some are missing.
    """
    if isinstance(value, str):
        match = _WHOLE.fullmatch(value.strip())
        return int(match[1]) if match else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value if 0 <= value < 10**18 else None
    return None


def used_splits(split: str, task: str | None) -> tuple[str, ...]:
    """Return the row splits that a split of a dataset is made of."""
    return ('query', 'gallery') if task == 'i2i' else (split,)


def find_row_problems(
    rows: Sequence[Row], split: str, task: str | None, name: str, hint: str
) -> list[str]:
    """Say what keeps rows from being a split.

    Args:
        rows: All rows.
        split: ``'train'``, ``'val'`` or ``'test'``.
        task: ``'i2i'``, ``'t2i'``, or None to train.
        name: What is read, for the messages.
        hint: How an image gets into a split, with ``{split}`` in it.
    """
    counts = Counter(row.split for row in rows)
    found = list_names([f'{s} {n:,}' for s, n in sorted(counts.items())]) or 'nothing'
    problems = [
        f"{name}: nothing is in split '{used}'; found: {found}. "
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
    """Turn rows into the items of a split, in an order that rows don't influence.

    Args:
        rows: All rows.
        split: ``'train'``, ``'val'`` or ``'test'``.
        task: ``'i2i'``: queries, then gallery. ``'t2i'``: images (gallery), then
            captions (queries). None to train: rows as they are.
        numbers: Number of each identity.
    """
    used = [row for row in rows if row.split in used_splits(split, task)]
    used.sort(key=lambda r: (r.path, r.caption or ''))
    if task is None:
        return [_item(r, 'train', numbers, r.path, r.caption) for r in used]
    # Of an image with several captions, one item
    images = list(dict.fromkeys(r._replace(caption=None) for r in used))
    if task == 'i2i':
        return [
            _item(r, s, numbers, r.path) for s in _I2I for r in images if r.split == s
        ]
    gallery = [_item(r, 'gallery', numbers, r.path) for r in images]
    captioned = [r for r in used if r.caption is not None]
    return gallery + [_item(r, 'query', numbers, None, r.caption) for r in captioned]


_I2I = ('query', 'gallery')


def _item(
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

"""Counting identities and images, and comparing the counts with published ones."""

import logging
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from hplreid.utils.log import log

from .errors import CountMismatchError
from .items import Item


class Counts(NamedTuple):
    """Number of identities and of image files."""

    ids: int
    images: int

    def __str__(self) -> str:
        return f'{self.ids:,} identities, {self.images:,} images'


def count_images(items: Iterable[Item]) -> dict[str, Counts]:
    """Count the image files of each split, and the identities that they show.

    Example:
        >>> paths = ['a.jpg', 'a.jpg', 'b.jpg', None]  # None: a caption alone
        >>> items = [{'img_path': path, 'pid': 7, 'split': 'train'} for path in paths]
        >>> count_images(items)
        {'train': Counts(ids=1, images=2)}
    """
    paths: dict[str, set[str]] = {}
    pids: dict[str, set[int]] = {}
    for item in items:
        if item['img_path'] is not None:
            paths.setdefault(item['split'], set()).add(item['img_path'])
            pids.setdefault(item['split'], set()).add(item['pid'])
    return {split: Counts(len(pids[split]), len(paths[split])) for split in paths}


class Repeated(NamedTuple):
    """What a split lists again.

    Attributes:
        images: Path of each further item with the same image and caption.
        captions: Each further query with the same caption.
    """

    images: list[str]
    captions: list[str]

    def __str__(self) -> str:
        parts = [
            f'{len(found):,} {what}{"s" * (len(found) > 1)} listed again'
            for what, found in (('image', self.images), ('caption', self.captions))
            if found
        ]
        return ', '.join(parts)


def list_repeated(items: Iterable[Item]) -> Repeated:
    """List what stands repeatedly in a split, as if it were merged with itself.

    Example:
        >>> item = {'img_path': 'a.jpg', 'caption': None, 'split': 'gallery', 'pid': 7}
        >>> str(list_repeated([item, item]))
        '1 image listed again'
    """
    seen: set[tuple] = set()
    repeated = Repeated([], [])
    for item in items:
        path, caption = item['img_path'], item['caption']
        key = item['split'], path, caption
        if key not in seen:
            seen.add(key)
        elif path is not None:
            repeated.images.append(path)
        elif caption is not None:
            repeated.captions.append(caption)
    return repeated


def compare_counts(
    name: str,
    counts: Mapping[str, Counts],
    published: Mapping[str, Counts],
    strict: bool,
) -> None:
    """Warn about counts that differ from the published ones, or fail if ``strict``.

    Raises:
        CountMismatchError: They differ and ``strict`` is set.
    """
    lines = [
        f'  {split}: found {counts.get(split, Counts(0, 0))}; published {expected}'
        for split, expected in published.items()
        if counts.get(split) != expected
    ]
    if not lines:
        return
    message = '\n'.join([f'{name} is not the published dataset:', *lines])
    hint = 'Set expected=None for data that only shares the layout.'
    if strict:
        raise CountMismatchError(f'{message}\n{hint}')
    log(f'{message}\n{hint}', level=logging.WARNING)

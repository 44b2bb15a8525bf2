"""The base class of datasets of your own: named identities, warnings about splits."""

import logging
from collections.abc import Sequence
from typing import Any, ClassVar

from hplreid.utils.log import log

from ..base import BaseReIDDataset
from ..counts import Counts
from ..errors import list_names
from ..items import Item, Pipeline
from .annotation_rows import Row, make_items, number_identities, used_splits


class OwnDataset(BaseReIDDataset):
    """A dataset made of the rows that a subclass has read.

    ``metainfo['identities']`` has the name of each identity number, and
    ``metainfo['label_of']`` the label of each name.

    Args:
        rows: All rows, of any split.
        data_root: The folder that holds the images.
        split: One of ``splits``.
        pipeline: Transforms, or configs of transforms.
        task: ``'i2i'``, ``'t2i'``, or None for training.
        name: Name of the dataset, stored in each item as ``source``.
        verify: Whether to decode every image now and list all unreadable ones.
    """

    published: ClassVar[dict[str, dict[str, Counts]]] = {}

    def __init__(
        self,
        rows: Sequence[Row],
        data_root: str,
        split: str,
        pipeline: Pipeline,
        task: str | None,
        name: str,
        verify: bool,
    ) -> None:
        self.task = task
        self._rows = rows
        self._numbers = number_identities(row.identity for row in rows)
        super().__init__(
            data_root, split, pipeline, name=name, expected=None, verify=verify
        )
        del self._rows, self._numbers

    def load_items(self) -> list[Item]:
        """See :meth:`BaseReIDDataset.load_items`."""
        return make_items(self._rows, self.split, self.task, self._numbers)

    def _label(
        self, items: list[Item], pipeline: Pipeline
    ) -> tuple[list[Item], Pipeline, dict[str, Any]]:
        labeled, pipeline, metainfo = super()._label(items, pipeline)
        pids = {item['pid'] for item in items}
        names = {pid: name for name, pid in self._numbers.items() if pid in pids}
        # By name: a new test identity changes the numbers, but not the labels
        label_of = {names[pid]: v for pid, v in metainfo['label_of'].items()}
        return labeled, pipeline, dict(metainfo, label_of=label_of, identities=names)

    def _log(self) -> None:
        super()._log()
        warnings = find_overlap_warnings(self._rows, self.split, self.task)
        if self.task == 'i2i':
            warnings += find_query_warnings(self._rows)
        for text in warnings:
            log(f'{self.name}: {text}', level=logging.WARNING)


def find_overlap_warnings(
    rows: Sequence[Row], split: str, task: str | None
) -> list[str]:
    """Return a warning about identities in both training and test splits."""
    used = used_splits(split, task)
    own = {row.identity for row in rows if row.split in used}
    other = {r.identity for r in rows if (r.split == 'train') != (split == 'train')}
    both = sorted(own & other)
    if not both:
        return []
    return [
        f"{len(both):,} of {len(own):,} identities of split '{split}' are both "
        f'trained on and tested: {list_names(both)}. Scores on them say little about '
        'new identities.'
    ]


def find_query_warnings(rows: Sequence[Row]) -> list[str]:
    """Return warnings about query images without a match and unknown cameras."""
    queries = {(r.path, r.identity, r.camid) for r in rows if r.split == 'query'}
    gallery: dict[str, set[int]] = {}
    for row in rows:
        if row.split == 'gallery':
            gallery.setdefault(row.identity, set()).add(row.camid)
    unmatched = [name for _, name, _ in queries if name not in gallery]
    same_camera = [name for _, name, camid in queries if gallery.get(name) == {camid}]
    warnings = []
    if unmatched:
        warnings.append(
            f'{len(unmatched):,} of {len(queries):,} queries will be skipped because '
            'their identity is not in the gallery: '
            f'{list_names(sorted(set(unmatched)))}.'
        )
    if any(r.camid < 0 for r in rows if r.split in ('query', 'gallery')):
        warnings.append(
            "cameras are unknown, so images by the query's camera cannot be excluded: "
            "RetrievalMetric(task='i2i') needs same_camera='keep'."
        )
    elif same_camera:
        warnings.append(
            f'{len(same_camera):,} of {len(queries):,} queries only have matches by '
            f'their own camera: {list_names(sorted(set(same_camera)))}. They are '
            "skipped unless RetrievalMetric gets same_camera='keep'."
        )
    return warnings

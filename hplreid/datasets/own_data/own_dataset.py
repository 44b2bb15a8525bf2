"""What datasets of one's own share: identities by name, advice instead of counts."""

from collections.abc import Sequence
from typing import Any, ClassVar

from mmengine.logging import print_log

from ..base import BaseReIDDataset
from ..counts import Counts
from ..errors import list_names
from ..items import Item, Pipeline
from .annotation_rows import Row, make_items, number_identities, used_splits


class OwnDataset(BaseReIDDataset):
    """Rows that a subclass has read.

    ``metainfo['identities']`` has the name of each identity number, and
    ``metainfo['label_of']`` the label of each name.

    Args:
        rows: All rows, of any split.
        data_root: The folder that holds the images.
        split: One of ``splits``.
        pipeline: Transforms, or configs of transforms.
        task: ``'i2i'``, ``'t2i'``, or None to train.
        name: Name of the data; each item carries it.
        verify: Whether to decode every image now, and name all that can't be.
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
        # By name: another test identity moves the numbers, but no label
        label_of = {names[pid]: v for pid, v in metainfo['label_of'].items()}
        return labeled, pipeline, dict(metainfo, label_of=label_of, identities=names)

    def _log(self) -> None:
        super()._log()
        advice = describe_overlap(self._rows, self.split, self.task)
        if self.task == 'i2i':
            advice += describe_queries(self._rows)
        for text in advice:
            print_log(f'{self.name}: {text}', logger='current', level=30)


def describe_overlap(rows: Sequence[Row], split: str, task: str | None) -> list[str]:
    """Warn of identities that are trained on and tested."""
    used = used_splits(split, task)
    here = {row.identity for row in rows if row.split in used}
    other = {r.identity for r in rows if (r.split == 'train') != (split == 'train')}
    both = sorted(here & other)
    if not both:
        return []
    return [
        f"{len(both):,} of {len(here):,} identities of split '{split}' are both "
        f'trained on and tested: {list_names(both)}. Scores then say little about new '
        'people.'
    ]


def describe_queries(rows: Sequence[Row]) -> list[str]:
    """Warn of query images that have no match, and of unknown cameras."""
    queries = {(r.path, r.identity, r.camid) for r in rows if r.split == 'query'}
    gallery: dict[str, set[int]] = {}
    for row in rows:
        if row.split == 'gallery':
            gallery.setdefault(row.identity, set()).add(row.camid)
    absent = [name for _, name, _ in queries if name not in gallery]
    alone = [name for _, name, camid in queries if gallery.get(name) == {camid}]
    advice = []
    if absent:
        advice.append(
            f'{len(absent):,} of {len(queries):,} queries will be skipped, for their '
            f'identity is not in the gallery: {list_names(sorted(set(absent)))}.'
        )
    if any(r.camid < 0 for r in rows if r.split in ('query', 'gallery')):
        advice.append(
            'cameras are unknown, so images of the camera of the query cannot be '
            "left out: RetrievalMetric(task='i2i') needs same_camera='keep'."
        )
    elif alone:
        advice.append(
            f'{len(alone):,} of {len(queries):,} queries have matches from their '
            f'own camera alone: {list_names(sorted(set(alone)))}. They are skipped, '
            "unless RetrievalMetric gets same_camera='keep'."
        )
    return advice

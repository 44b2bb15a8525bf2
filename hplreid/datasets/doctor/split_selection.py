"""Which splits to look at: those of a config, or those of one dataset."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hplreid.registry import DATASETS

from ..base import BaseReIDDataset
from ..errors import AnnotationError, MissingDataError
from ..fault_collector import collect_faults
from ..own_data.annotation_rows import used_splits
from ..own_data.table_dataset import TableDataset
from ..own_data.table_validation import read_rows

_ABOUT_READING = ('pipeline', 'verify', 'strict')
_ABOUT_SPLIT = ('split', 'task', 'name', 'expected', 'with_val')


@dataclass(frozen=True)
class SplitConfig:
    """A split to look at.

    Attributes:
        cls: Class of the dataset.
        options: Its arguments, without those that say how to read it.
        same_camera: Whether images of the query's own camera count: ``'drop'`` or
            ``'keep'``.
    """

    cls: type[BaseReIDDataset]
    options: Mapping[str, Any] = field(default_factory=dict)
    same_camera: str = 'drop'

    @property
    def source(self) -> str:
        """What the splits of one dataset share: identity numbers mean the same."""
        shared = {k: v for k, v in self.options.items() if k not in _ABOUT_SPLIT}
        if 'data_root' in shared:
            shared['data_root'] = os.path.abspath(shared['data_root'])
        return f'{self.cls.__name__} {sorted(shared.items())}'

    @property
    def split(self) -> str:
        """Name of the split."""
        return self.options.get('split', 'train')


def find_split_configs(dataset: Any, same_camera: str = 'drop') -> list[SplitConfig]:  # noqa: ANN401
    """Find the datasets on disk that the config of a dataset is made of.

    Args:
        dataset: The config: of one that is read from disk, or of one with such configs
            in it (joint, concatenated).
        same_camera: Camera rule of the metric that scores it.

    Raises:
        KeyError: A ``type`` isn't registered.
    """
    if isinstance(dataset, (list, tuple)):
        return [
            wanted
            for part in dataset
            for wanted in find_split_configs(part, same_camera)
        ]
    if not isinstance(dataset, Mapping) or 'type' not in dataset:
        return []
    kind = dataset['type']
    cls = DATASETS.get(kind) if isinstance(kind, str) else kind
    if issubclass(cls, BaseReIDDataset):
        drop = ('type', *_ABOUT_READING)
        options = {k: v for k, v in dataset.items() if k not in drop}
        return [SplitConfig(cls, options, same_camera)]
    parts = [value for key, value in dataset.items() if key != 'pipeline']
    return find_split_configs(parts, same_camera)


def parse_dataset(text: str, options: Mapping[str, Any]) -> list[SplitConfig]:
    """Return all splits of a dataset that is written as ``Market1501:data/market``.

    Args:
        text: Class, colon, and its folder; the file for ``TableDataset``.
        options: Its other arguments.

    Raises:
        ValueError: It isn't of this form, or no dataset is read from a folder so.
    """
    name, _, root = text.partition(':')
    DATASETS.import_from_location()
    known = {
        name: cls
        for name, cls in sorted(DATASETS.module_dict.items())
        if issubclass(cls, BaseReIDDataset)
    }
    if not root or name not in known:
        raise ValueError(
            f"'{text}' is neither a config file nor CLASS:FOLDER, such as "
            f'Market1501:data/Market-1501-v15.09.15. Classes: {", ".join(known)}.'
        )
    cls = known[name]
    if issubclass(cls, TableDataset):
        return _splits_of_table(cls, root, options)
    return [
        SplitConfig(cls, {'data_root': root, **options, 'split': split})
        for split in cls.splits
    ]


def _splits_of_table(
    cls: type[BaseReIDDataset], table: str, options: Mapping[str, Any]
) -> list[SplitConfig]:
    """Return the splits, each with its tasks, for which a table has rows."""
    splits: Iterable[tuple[str, str | None]] = (
        ('train', None),
        ('val', 't2i'),
        ('test', 't2i'),
        ('test', 'i2i'),
    )
    try:
        with collect_faults():
            root = options.get('data_root') or os.path.dirname(table)
            rows = read_rows(table, root, options.get('columns'))
    except (AnnotationError, MissingDataError):
        rows = []  # one split is enough to say what is wrong
    there = {row.split for row in rows}
    chosen = [s for s in splits if there & set(used_splits(*s))] or [('train', None)]
    return [
        SplitConfig(cls, {'table': table, **options, 'split': split, 'task': task})
        for split, task in chosen
    ]


def drop_duplicates(wanted: Iterable[SplitConfig]) -> list[SplitConfig]:
    """Keep the first of several that read the same; it doesn't matter who scores it."""
    first: dict[str, SplitConfig] = {}
    for one in wanted:
        key = f'{one.source} {one.split} {one.options.get("task")}'
        first.setdefault(key, one)
    return list(first.values())

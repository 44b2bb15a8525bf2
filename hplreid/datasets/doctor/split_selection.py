"""Selecting the splits to examine: those of a config, or those of one dataset."""

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

_IGNORED_OPTIONS = ('type', 'pipeline', 'verify', 'strict')
_SPLIT_OPTIONS = ('split', 'task', 'name', 'expected', 'with_val')


@dataclass(frozen=True)
class SplitConfig:
    """A split to examine.

    Attributes:
        cls: Class of the dataset.
        options: Its arguments, without pipeline, ``verify`` and ``strict``.
        same_camera: Camera rule of its metric: whether matches by the query's own
            camera count (``'keep'``) or not (``'drop'``).
    """

    cls: type[BaseReIDDataset]
    options: Mapping[str, Any] = field(default_factory=dict)
    same_camera: str = 'drop'

    @property
    def source(self) -> str:
        """Return a key that splits of one dataset, with the same pids, share."""
        shared = {k: v for k, v in self.options.items() if k not in _SPLIT_OPTIONS}
        if 'data_root' in shared:
            shared['data_root'] = os.path.abspath(shared['data_root'])
        return f'{self.cls.__name__} {sorted(shared.items())}'

    @property
    def split(self) -> str:
        """Return the name of the split."""
        return self.options.get('split', 'train')


def find_split_configs(dataset: Any, same_camera: str = 'drop') -> list[SplitConfig]:  # noqa: ANN401
    """Return the splits on disk that the config of a dataset consists of.

    Args:
        dataset: Config of a dataset on disk, or of one that contains such configs
            (joint, concatenated).
        same_camera: Camera rule of the dataset's metric.

    Raises:
        KeyError: A ``type`` isn't registered.

    Example:
        >>> market = {'type': 'Market1501', 'data_root': 'data/market'}
        >>> concat = {'type': 'ConcatReIDDataset', 'datasets': [market]}
        >>> [(c.cls.__name__, c.split) for c in find_split_configs(concat)]
        [('Market1501', 'train')]
    """
    if isinstance(dataset, (list, tuple)):
        return [c for part in dataset for c in find_split_configs(part, same_camera)]
    if not isinstance(dataset, Mapping) or 'type' not in dataset:
        return []
    kind = dataset['type']
    cls = DATASETS.get(kind) if isinstance(kind, str) else kind
    if issubclass(cls, BaseReIDDataset):
        options = {k: v for k, v in dataset.items() if k not in _IGNORED_OPTIONS}
        return [SplitConfig(cls, options, same_camera)]
    parts = [value for key, value in dataset.items() if key != 'pipeline']
    return find_split_configs(parts, same_camera)


def parse_dataset(text: str, options: Mapping[str, Any]) -> list[SplitConfig]:
    """Return all splits of a dataset written as ``Market1501:data/market``.

    Args:
        text: Class, colon, and folder of the dataset; the file for ``TableDataset``.
        options: Other arguments of the class.

    Raises:
        ValueError: The text has another form, or the class isn't a dataset on disk.

    Example:
        >>> [config.split for config in parse_dataset('CUHKPEDES:data/cuhk', {})]
        ['train', 'val', 'test']
    """
    name, _, root = text.partition(':')
    DATASETS.import_from_location()
    classes = {
        name: cls
        for name, cls in sorted(DATASETS.module_dict.items())
        if issubclass(cls, BaseReIDDataset)
    }
    if not root or name not in classes:
        raise ValueError(
            f"'{text}' is neither a config file nor CLASS:FOLDER, such as "
            f'Market1501:data/Market-1501-v15.09.15. Classes: {", ".join(classes)}.'
        )
    cls = classes[name]
    if issubclass(cls, TableDataset):
        return _find_table_splits(cls, root, options)
    return [
        SplitConfig(cls, {'data_root': root, **options, 'split': split})
        for split in cls.splits
    ]


def _find_table_splits(
    cls: type[BaseReIDDataset], table: str, options: Mapping[str, Any]
) -> list[SplitConfig]:
    """Return the splits and tasks for which a table has rows."""
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
        rows = []  # reading one split reports the error
    row_splits = {row.split for row in rows}
    chosen = [s for s in splits if row_splits & set(used_splits(*s))]
    return [
        SplitConfig(cls, {'table': table, **options, 'split': split, 'task': task})
        for split, task in chosen or [('train', None)]
    ]


def drop_duplicates(configs: Iterable[SplitConfig]) -> list[SplitConfig]:
    """Keep the first of several configs that read the same split of the same data."""
    first: dict[str, SplitConfig] = {}
    for config in configs:
        key = f'{config.source} {config.split} {config.options.get("task")}'
        first.setdefault(key, config)
    return list(first.values())

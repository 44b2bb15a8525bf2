"""Concatenating datasets that share no identities and no cameras."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from hplreid.registry import DATASETS
from hplreid.utils.log import log

from ..errors import MissingDataError
from ..images.image_files import verify_images
from ..items import Item, ItemDataset, Pipeline


@DATASETS.register_module()
class ConcatReIDDataset(ItemDataset):
    """The concatenation of several datasets.

    No identity is assumed to be in two of them: labels, identity numbers and cameras of
    each dataset follow those of the previous one. For two datasets with common
    identities use :class:`JointDataset`, which can itself be one of several here.

    ``metainfo['label_of']`` has the label of each ``'<name>:<identity>'``.

    Args:
        datasets: Configs of the datasets, without pipeline, all of one split.
        pipeline: Transforms for the items of all datasets.
        verify: Whether to decode every image now and list all unreadable ones.

    Raises:
        ValueError: The list is empty, a dataset has a pipeline, splits differ, or two
            datasets have the same name or images.
        MissingDataError: See :meth:`find_problems`.
    """

    def __init__(
        self,
        datasets: Sequence[dict[str, Any]],
        pipeline: Pipeline = (),
        verify: bool = False,
    ) -> None:
        _check_configs(datasets)
        problems = self.find_problems(datasets=datasets)
        if problems:
            raise MissingDataError('\n'.join(problems))
        built: list[ItemDataset] = [DATASETS.build(config) for config in datasets]
        names = [dataset.metainfo['dataset_name'] for dataset in built]
        items_of = [[d.get_data_info(i) for i in range(len(d))] for d in built]
        _check_distinct(names, items_of)
        self.name = '+'.join(names)
        self.split = built[0].metainfo['split']
        *first_labels, num_ids = np.cumsum([0, *(d.num_ids for d in built)]).tolist()
        label_of = {
            f'{name}:{key}': label + first_label
            for dataset, name, first_label in zip(
                built, names, first_labels, strict=True
            )
            for key, label in dataset.metainfo['label_of'].items()
        }
        super().__init__(
            _concatenate(items_of, first_labels),
            pipeline,
            {
                'dataset_name': self.name,
                'split': self.split,
                'num_ids': num_ids,
                'label_of': label_of,
            },
        )
        if verify:
            verify_images(i['img_path'] for i in self._items if i['img_path'])
        self._log(built, names)

    @classmethod
    def find_problems(
        cls,
        datasets: Sequence[dict[str, Any]],
        **_: Any,  # noqa: ANN401
    ) -> list[str]:
        """Return messages about what is missing; see :class:`BaseReIDDataset`."""
        try:
            _check_configs(datasets)
        except ValueError as error:
            return [str(error)]
        problems = [p for config in datasets for p in _find_problems(config)]
        return list(dict.fromkeys(problems))

    def _log(self, datasets: Sequence[ItemDataset], names: Sequence[str]) -> None:
        parts = [
            f'{name} {dataset.num_ids:,} ({len(dataset):,} items, '
            f'{int(dataset.has_caption.sum()):,} with a caption)'
            for name, dataset in zip(names, datasets, strict=True)
        ]
        log(
            f"{self.name}, split '{self.split}': {self.num_ids:,} identities, none "
            f'shared: {"; ".join(parts)}'
        )


def _find_problems(config: dict[str, Any]) -> list[str]:
    find: Any = getattr(DATASETS.get(config['type']), 'find_problems', None)
    return [] if find is None else find(**config)


def _check_configs(datasets: Sequence[dict[str, Any]]) -> None:
    if not datasets:
        raise ValueError('ConcatReIDDataset: datasets is empty.')
    for i, config in enumerate(datasets):
        if config.get('pipeline'):
            raise ValueError(
                f'datasets.{i}.pipeline: set the pipeline of the ConcatReIDDataset.'
            )
        if config in datasets[:i]:
            raise ValueError(f'datasets.{i} is the same as one before it: {config}.')
    splits = sorted({config.get('split', 'train') for config in datasets})
    if len(splits) > 1:
        raise ValueError(
            f'ConcatReIDDataset: all datasets must have the same split, got {splits}.'
        )


def _check_distinct(names: Sequence[str], items_of: Sequence[Sequence[Item]]) -> None:
    duplicates = sorted({name for name in names if names.count(name) > 1})
    if duplicates:
        raise ValueError(
            f'Two datasets have the name {duplicates[0]!r}, which must tell their '
            'identities apart: give each its own with name=.'
        )
    owner: dict[str, str] = {}
    for name, items in zip(names, items_of, strict=True):
        paths = _real_paths(items)
        shared = sorted(paths & owner.keys())
        if shared:
            raise ValueError(
                f"'{owner[shared[0]]}' and '{name}' share {len(shared):,} images, "
                f"such as '{shared[0]}': their identities would get two labels each. "
                'Remove one of the datasets.'
            )
        owner.update(dict.fromkeys(paths, name))


def _real_paths(items: Sequence[Item]) -> set[str]:
    """Return the image files, with linked folders resolved."""
    pairs = {os.path.split(i['img_path']) for i in items if i['img_path'] is not None}
    folders = {folder: os.path.realpath(folder) for folder, _ in pairs}
    return {os.path.join(folders[folder], name) for folder, name in pairs}


def _concatenate(
    items_of: Sequence[Sequence[Item]], first_labels: Sequence[int]
) -> list[Item]:
    """Concatenate items; pids, labels and camids follow those of the dataset before."""
    joined: list[Item] = []
    first_pid = first_camid = 0
    for items, first_label in zip(items_of, first_labels, strict=True):
        for item in items:
            label, camid = item['label'], item['camid']
            shifted = {
                'pid': item['pid'] + first_pid,
                'label': label if label < 0 else label + first_label,
                'camid': camid if camid < 0 else camid + first_camid,
            }
            joined.append({**item, **shifted})
        first_pid += max(item['pid'] for item in items) + 1
        first_camid += max(item['camid'] for item in items) + 1
    return joined

"""Several datasets as one, with people and cameras of their own."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.logging import print_log

from hplreid.registry import DATASETS

from ..errors import MissingDataError
from ..images.image_files import verify_images
from ..items import Item, ItemDataset, Pipeline


@DATASETS.register_module()
class ConcatReIDDataset(ItemDataset):
    """Datasets one after the other.

    Nobody is taken to be in two of them: labels, identity numbers and cameras of each
    follow those of the one before. For two sets that share people see
    :class:`JointDataset`, which can itself be one of several here.

    ``metainfo['label_of']`` has the label of each ``'<name>:<identity>'``.

    Args:
        datasets: Configs of the sets, without pipeline, all of one split.
        pipeline: Transforms for the items of all.
        verify: Whether to decode every image now, and name all that can't be.

    Raises:
        ValueError: There are no sets, one has a pipeline, splits differ, or two have
            the same name or images.
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
        sets: list[ItemDataset] = [DATASETS.build(config) for config in datasets]
        names = [dataset.metainfo['dataset_name'] for dataset in sets]
        parts = [[d.get_data_info(i) for i in range(len(d))] for d in sets]
        _check_different(names, parts)
        self.name = '+'.join(names)
        self.split = sets[0].metainfo['split']
        *starts, num_ids = np.cumsum([0, *(d.num_ids for d in sets)]).tolist()
        label_of = {
            f'{name}:{key}': label + first
            for dataset, name, first in zip(sets, names, starts, strict=True)
            for key, label in dataset.metainfo['label_of'].items()
        }
        super().__init__(
            _join(parts, starts),
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
        self._log(sets, names)

    @classmethod
    def find_problems(
        cls,
        datasets: Sequence[dict[str, Any]],
        **_: Any,  # noqa: ANN401
    ) -> list[str]:
        """Say what is missing of any of the sets; see :class:`BaseReIDDataset`."""
        try:
            _check_configs(datasets)
        except ValueError as error:
            return [str(error)]
        found = [problem for config in datasets for problem in _find_problems(config)]
        return list(dict.fromkeys(found))

    def _log(self, sets: Sequence[ItemDataset], names: Sequence[str]) -> None:
        parts = [
            f'{name} {dataset.num_ids:,} ({len(dataset):,} items, '
            f'{int(dataset.has_caption.sum()):,} with a caption)'
            for name, dataset in zip(names, sets, strict=True)
        ]
        print_log(
            f"{self.name}, split '{self.split}': {self.num_ids:,} identities, nobody "
            f'in two sets: {"; ".join(parts)}',
            logger='current',
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
        raise ValueError(f'ConcatReIDDataset joins sets of one split, not {splits}.')


def _check_different(names: Sequence[str], parts: Sequence[Sequence[Item]]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(
            f'Two sets have the name {twice[0]!r}, which tells their identities apart: '
            'give each its own with name=.'
        )
    owner: dict[str, str] = {}
    for name, items in zip(names, parts, strict=True):
        mine = _real_paths(items)
        shared = sorted(mine & owner.keys())
        if shared:
            raise ValueError(
                f"'{owner[shared[0]]}' and '{name}' share {len(shared):,} images, "
                f"such as '{shared[0]}': their people would get two labels each. Leave "
                'one set out.'
            )
        owner.update(dict.fromkeys(mine, name))


def _real_paths(items: Sequence[Item]) -> set[str]:
    """Return the image files, with links among the folders followed."""
    pairs = {os.path.split(i['img_path']) for i in items if i['img_path'] is not None}
    folders = {folder: os.path.realpath(folder) for folder, _ in pairs}
    return {os.path.join(folders[folder], name) for folder, name in pairs}


def _join(parts: Sequence[Sequence[Item]], starts: Sequence[int]) -> list[Item]:
    """Put items one after the other, numbers moved behind those of the set before."""
    joined: list[Item] = []
    first_pid = first_camid = 0
    for items, first_label in zip(parts, starts, strict=True):
        for item in items:
            label, camid = item['label'], item['camid']
            moved = {
                'pid': item['pid'] + first_pid,
                'label': label if label < 0 else label + first_label,
                'camid': camid if camid < 0 else camid + first_camid,
            }
            joined.append({**item, **moved})
        first_pid += max(item['pid'] for item in items) + 1
        first_camid += max(item['camid'] for item in items) + 1
    return joined

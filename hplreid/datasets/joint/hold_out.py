"""Holding identities out of a training set, for validation."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from hplreid.registry import DATASETS
from hplreid.utils.log import log

from ..items import Item, ItemDataset, Pipeline

PARTS = ('train', 'val')
TASKS = ('t2i', 'i2i')


@DATASETS.register_module()
class HoldOut(ItemDataset):
    """A training set without some identities, or these identities as a validation set.

    For datasets without a validation split: choosing an epoch by scores on held-out
    identities leaves the test split untouched. Which identities are held out depends
    only on the identities and the seed.

    Part ``'train'`` has all other identities, relabeled. Part ``'val'`` has the
    held-out ones as queries and gallery. For ``'t2i'`` these are their captions and
    images. For ``'i2i'`` the first image of an identity by each camera is a query, as
    long as every query of the identity keeps a match by another camera in the gallery,
    which has all other images.

    Args:
        dataset: Config of the whole training set, without pipeline.
        part: ``'train'`` or ``'val'``.
        fraction: Fraction of the identities that is held out, in (0, 1).
        seed: Seed for drawing the identities.
        task: ``'t2i'`` or ``'i2i'``, for part ``'val'`` of data that allows both.
            Defaults to the only one possible.
        pipeline: Transforms for the items.

    Raises:
        ValueError: An option is invalid, the dataset has a pipeline or is no training
            set, one part would be empty, or images for ``'i2i'`` have no camera.
        MissingDataError: See :meth:`find_problems`.
    """

    def __init__(
        self,
        dataset: dict[str, Any],
        part: str,
        fraction: float = 0.1,
        seed: int = 0,
        task: str | None = None,
        pipeline: Pipeline = (),
    ) -> None:
        _check_options(dataset, part, fraction, task)
        whole: ItemDataset = DATASETS.build(dataset)
        held_out = draw_identities(whole.num_ids, fraction, seed)
        name = whole.metainfo['dataset_name']
        how = f'{len(held_out):,} of {whole.num_ids:,} identities, seed {seed}'
        self.name = f'{name} {"without" if part == "train" else "held out:"} {how}'
        label_of: dict = {}
        if part == 'train':
            num_ids = whole.num_ids - len(held_out)
            items, label_of = _remove_identities(whole, held_out)
        else:
            num_ids = len(held_out)
            chosen = [item for item in _items_of(whole) if item['label'] in held_out]
            items = make_validation_items(chosen, task, name)
        super().__init__(
            items,
            pipeline,
            {
                'dataset_name': self.name,
                'split': part,
                'num_ids': num_ids,
                'label_of': label_of,
            },
        )
        log(f'{self.name}; {len(self):,} items')

    @classmethod
    def find_problems(
        cls,
        dataset: dict[str, Any],
        part: str,
        fraction: float = 0.1,
        task: str | None = None,
        **_: Any,  # noqa: ANN401
    ) -> list[str]:
        """Return messages about what is missing; see :class:`BaseReIDDataset`."""
        try:
            _check_options(dataset, part, fraction, task)
        except ValueError as error:
            return [str(error)]
        find: Any = getattr(DATASETS.get(dataset['type']), 'find_problems', None)
        return [] if find is None else find(**dataset)


def draw_identities(num_ids: int, fraction: float, seed: int) -> set[int]:
    """Return the labels to hold out, of labels 0 to ``num_ids`` - 1.

    Raises:
        ValueError: No label or all labels would be held out.

    Example:
        >>> sorted(draw_identities(num_ids=10, fraction=0.3, seed=0))
        [2, 4, 6]
    """
    num_held_out = round(num_ids * fraction)
    if not 0 < num_held_out < num_ids:
        raise ValueError(
            f'HoldOut: fraction={fraction} of {num_ids} identities is {num_held_out}: '
            'expected at least one to hold out and one to train on.'
        )
    order = np.random.default_rng(seed).permutation(num_ids)
    return set(order[:num_held_out].tolist())


def _items_of(dataset: ItemDataset) -> list[Item]:
    return [dataset.get_data_info(index) for index in range(len(dataset))]


def _remove_identities(
    whole: ItemDataset, held_out: set[int]
) -> tuple[list[Item], dict]:
    """Return the items of all other identities, relabeled, and the new labels."""
    kept = sorted(set(range(whole.num_ids)) - held_out)
    new_label = {old: label for label, old in enumerate(kept)}
    items = [
        dict(item, label=new_label[item['label']])
        for item in _items_of(whole)
        if item['label'] in new_label
    ]
    old_labels = whole.metainfo['label_of'].items()
    label_of = {key: new_label[old] for key, old in old_labels if old in new_label}
    return items, label_of


def make_validation_items(
    items: Sequence[Item], task: str | None, name: str
) -> list[Item]:
    """Split training items into queries and gallery.

    Args:
        items: All items of the held-out identities.
        task: ``'t2i'``, ``'i2i'``, or None for the only one possible.
        name: Name of the dataset, for messages.

    Raises:
        ValueError: The task is ambiguous or impossible, cameras are unknown, or there
            would be no query.
    """
    captioned = [item for item in items if item['caption'] is not None]
    images = [item for item in items if item['caption'] is None]
    if task is None and captioned and images:
        raise ValueError(
            f"HoldOut: {name} has items with and without captions: set task='t2i' or "
            "task='i2i'."
        )
    chosen = {'t2i': captioned, 'i2i': images}[task or ('t2i' if captioned else 'i2i')]
    if not chosen:
        raise ValueError(f"HoldOut: {name} has no item for task='{task}'.")
    if chosen is captioned:
        parts = _split_captioned(chosen)
    else:
        parts = _split_images(chosen, name)
    return [
        dict(item, label=-1, split=split)
        for split, items_of_split in parts.items()
        for item in items_of_split
    ]


def _split_captioned(items: Sequence[Item]) -> dict[str, list[Item]]:
    """Separate images from captions; each image becomes one item."""
    images = {item['img_path']: dict(item, caption=None) for item in items}
    captions = [dict(item, img_path=None) for item in items]
    return {'gallery': list(images.values()), 'query': captions}


def _split_images(items: Sequence[Item], name: str) -> dict[str, list[Item]]:
    unknown = sum(item['camid'] < 0 for item in items)
    if unknown:
        raise ValueError(
            f'HoldOut: {unknown:,} of {len(items):,} images of {name} have no '
            'camera, which is needed to separate queries from their matches.'
        )
    items_of_label: dict[int, list[Item]] = defaultdict(list)
    for item in items:
        items_of_label[item['label']].append(item)
    queries, gallery = [], []
    for images in items_of_label.values():
        chosen = _choose_queries([item['camid'] for item in images])
        queries += [images[i] for i in sorted(chosen)]
        gallery += [item for i, item in enumerate(images) if i not in chosen]
    if not queries:
        raise ValueError(
            f'HoldOut: none of the {len(items_of_label):,} identities held out of '
            f'{name} is seen by two cameras, so no query would have a match.'
        )
    return {'query': queries, 'gallery': gallery}


def _choose_queries(cameras: Sequence[int]) -> set[int]:
    """Return the positions of the queries, given the cameras of an identity's images.

    The first image by each camera is a query, if every query keeps a match by another
    camera among the images that are left.
    """
    queries: set[int] = set()
    for camera in sorted(set(cameras)):
        candidates = queries | {cameras.index(camera)}
        gallery = {c for i, c in enumerate(cameras) if i not in candidates}
        if all(gallery - {cameras[query]} for query in candidates):
            queries = candidates
    return queries


def _check_options(
    dataset: dict[str, Any], part: str, fraction: float, task: str | None
) -> None:
    if part not in PARTS:
        raise ValueError(f'part={part!r}: expected one of {PARTS}.')
    if task not in (None, *TASKS):
        raise ValueError(f'task={task!r}: expected one of {TASKS} or None.')
    if part == 'train' and task is not None:
        raise ValueError(f"task={task!r}: part 'train' is the same for all tasks.")
    if not 0 < fraction < 1:
        raise ValueError(f'fraction={fraction!r}: expected a number in (0, 1).')
    if dataset.get('pipeline'):
        raise ValueError('dataset.pipeline: set the pipeline of the HoldOut.')
    if dataset.get('split', 'train') != 'train':
        raise ValueError(
            f"dataset.split='{dataset['split']}': identities are held out of 'train'."
        )

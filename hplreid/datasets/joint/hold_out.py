"""Training people set aside for validation."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.logging import print_log

from hplreid.registry import DATASETS

from ..items import Item, ItemDataset, Pipeline

PARTS = ('train', 'val')
TASKS = ('t2i', 'i2i')


@DATASETS.register_module()
class HoldOut(ItemDataset):
    """The training set without some people, or those people as a benchmark.

    For data without a validation split: an epoch that is chosen by scores of people who
    are held out of training is not chosen on the test split. Who is held out depends
    on the identities and the seed alone.

    Part ``'train'`` has everybody else, numbered anew. Part ``'val'`` has those held
    out, as queries and gallery. For ``'t2i'`` these are their captions and their
    images; for ``'i2i'`` the first image of a person by each camera is a query, as
    long as each query of that person keeps an answer by another camera in the gallery,
    which has all other images.

    Args:
        dataset: Config of the whole training set, without pipeline.
        part: ``'train'`` or ``'val'``.
        fraction: Share of the people that is held out, above 0 and below 1.
        seed: Draws them.
        task: ``'t2i'`` or ``'i2i'``, for part ``'val'`` of data that can be used for
            both. Defaults to what the data are for.
        pipeline: Transforms for the items.

    Raises:
        ValueError: An option isn't known, the set has a pipeline or is no training
            set, nobody is left on one side, or images for ``'i2i'`` have no camera.
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
        how = f'{len(held_out):,} of {whole.num_ids:,} people, seed {seed}'
        self.name = f'{name} {"without" if part == "train" else "held out:"} {how}'
        label_of: dict = {}
        if part == 'train':
            num_ids = whole.num_ids - len(held_out)
            items, label_of = _leave_out(whole, held_out)
        else:
            num_ids = len(held_out)
            chosen = [item for item in _items(whole) if item['label'] in held_out]
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
        print_log(f'{self.name}; {len(self):,} items', logger='current')

    @classmethod
    def find_problems(
        cls,
        dataset: dict[str, Any],
        part: str,
        fraction: float = 0.1,
        task: str | None = None,
        **_: Any,  # noqa: ANN401
    ) -> list[str]:
        """Say what is missing of the whole set; see :class:`BaseReIDDataset`."""
        try:
            _check_options(dataset, part, fraction, task)
        except ValueError as error:
            return [str(error)]
        find: Any = getattr(DATASETS.get(dataset['type']), 'find_problems', None)
        return [] if find is None else find(**dataset)


def draw_identities(num_ids: int, fraction: float, seed: int) -> set[int]:
    """Return the labels of those held out, of labels 0 to ``num_ids`` - 1.

    Raises:
        ValueError: Nobody would be held out, or everybody.
    """
    number = round(num_ids * fraction)
    if not 0 < number < num_ids:
        raise ValueError(
            f'HoldOut: fraction={fraction} of {num_ids} people is {number}: expected '
            'at least one to hold out and one to train on.'
        )
    order = np.random.default_rng(seed).permutation(num_ids)
    return set(order[:number].tolist())


def _items(dataset: ItemDataset) -> list[Item]:
    return [dataset.get_data_info(index) for index in range(len(dataset))]


def _leave_out(whole: ItemDataset, held_out: set[int]) -> tuple[list[Item], dict]:
    """Return the items of everybody else, numbered anew, and who has which label."""
    kept = sorted(set(range(whole.num_ids)) - held_out)
    new = {old: label for label, old in enumerate(kept)}
    items = [
        dict(item, label=new[item['label']])
        for item in _items(whole)
        if item['label'] in new
    ]
    identities = whole.metainfo['label_of'].items()
    return items, {who: new[old] for who, old in identities if old in new}


def make_validation_items(
    items: Sequence[Item], task: str | None, name: str
) -> list[Item]:
    """Make queries and a gallery of training items.

    Args:
        items: All items of some people.
        task: ``'t2i'``, ``'i2i'``, or None for the one that they are for.
        name: Name of the data, for messages.

    Raises:
        ValueError: They are for both tasks or not for this one, have no cameras, or
            nobody would have a query.
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
    split = _split_captioned if chosen is captioned else _split_images
    parts = split(chosen, name)
    return [
        dict(item, label=-1, split=which)
        for which, items_of in parts.items()
        for item in items_of
    ]


def _split_captioned(items: Sequence[Item], name: str) -> dict[str, list[Item]]:
    """Part images from captions; an image with several captions is there once."""
    images = {item['img_path']: dict(item, caption=None) for item in items}
    captions = [dict(item, img_path=None) for item in items]
    return {'gallery': list(images.values()), 'query': captions}


def _split_images(items: Sequence[Item], name: str) -> dict[str, list[Item]]:
    unknown = sum(item['camid'] < 0 for item in items)
    if unknown:
        raise ValueError(
            f'HoldOut: {unknown:,} of {len(items):,} images of {name} have no '
            'camera, by which queries are parted from their answers.'
        )
    people: dict[int, list[Item]] = defaultdict(list)
    for item in items:
        people[item['label']].append(item)
    queries, gallery = [], []
    for own in people.values():
        asked = _choose_queries([item['camid'] for item in own])
        queries += [own[i] for i in sorted(asked)]
        gallery += [item for i, item in enumerate(own) if i not in asked]
    if not queries:
        raise ValueError(
            f'HoldOut: none of the {len(people):,} people held out of {name} is seen '
            'by two cameras, so no query would have an answer.'
        )
    return {'query': queries, 'gallery': gallery}


def _choose_queries(cameras: Sequence[int]) -> set[int]:
    """Return which images of a person are queries, given all images' cameras."""
    chosen: set[int] = set()
    for camera in sorted(set(cameras)):
        more = chosen | {cameras.index(camera)}
        left = {c for i, c in enumerate(cameras) if i not in more}
        if all(left - {cameras[query]} for query in more):
            chosen = more
    return chosen


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
            f"dataset.split='{dataset['split']}': people are held out of 'train'."
        )

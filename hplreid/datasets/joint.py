"""A text-image and an image set trained on together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mmengine.logging import print_log

from hplreid.registry import DATASETS

from .base import BaseReIDDataset
from .correspondence import KNOWN, IdentityGroups, Match, group_identities
from .errors import MissingDataError
from .images import verify_images
from .items import Item, ItemDataset, Pipeline
from .leakage import Pair, remove_identities, remove_pictures

_LEAKS = {
    'none': 'nothing was to be removed',
    'image': "the same picture is in the other task's test split",
    'identity': 'the person is in a test split',
}
_CHOICES = (
    "leak='identity' leaves out every item of a person in either test split (the "
    "honest choice); leak='image' leaves out only the exact pictures that are in the "
    "other task's test split; leak='none' trains on everything"
)


@dataclass(frozen=True)
class JointReport:
    """What joining two sets merged and removed."""

    t2i_total: int
    t2i_removed: int
    i2i_total: int
    i2i_removed: int
    merged_ids: int


@DATASETS.register_module()
class JointDataset(ItemDataset):
    """The captioned items of one set, followed by the pictures of another.

    Args:
        t2i: Config of the text-image set.
        i2i: Config of the image set.
        labels: ``'unified'``: people known to be in both sets have one label;
            ``'disjoint'``: the labels of the second follow those of the first.
        leak: What to do about people in the test split of the other task. It must be
            said for pairs known to overlap. ``'none'``: nothing; ``'image'``: drop the
            exact pictures that the other test split holds; ``'identity'``: drop every
            item of a person in either test split.
        pipeline: Transforms for the items of both.
        verify: Whether to decode every picture now, and name all that can't be.

    Raises:
        ValueError: An option isn't known, ``leak`` is needed and not given, or given
            for a pair whose overlap isn't known.
        MissingDataError: See :meth:`find_problems`.
    """

    def __init__(
        self,
        t2i: dict[str, Any],
        i2i: dict[str, Any],
        labels: str = 'unified',
        leak: str | None = None,
        pipeline: Pipeline = (),
        verify: bool = False,
    ) -> None:
        match = _find_match(t2i, i2i)
        _check_options(t2i, i2i, labels, leak)
        problems = self.find_problems(t2i=t2i, i2i=i2i, leak=leak)
        if problems:
            raise MissingDataError('\n'.join(problems))
        sets: list[BaseReIDDataset] = [DATASETS.build(config) for config in (t2i, i2i)]
        train = Pair(*(_items(dataset) for dataset in sets))
        checked = leak in ('image', 'identity')
        test = _read_tests(t2i, i2i) if checked else Pair([], [])
        groups = IdentityGroups()
        kept = train
        if match is not None:
            groups = group_identities([*train.t2i, *test.t2i], match)
            kept = _remove(train, test, groups, match, leak)
        items, label_of = _relabel(kept, groups if labels == 'unified' else None)
        num_ids = len(set(label_of.values()))
        self.name = f'{sets[0].name}+{sets[1].name}'
        super().__init__(
            items,
            pipeline,
            {
                'dataset_name': self.name,
                'split': 'train',
                'num_ids': num_ids,
                'label_of': label_of,
            },
        )
        self.report = JointReport(
            t2i_total=len(train.t2i),
            t2i_removed=len(train.t2i) - len(kept.t2i),
            i2i_total=len(train.i2i),
            i2i_removed=len(train.i2i) - len(kept.i2i),
            merged_ids=len(label_of) - num_ids,
        )
        self._log(labels, leak or 'none')
        if verify:
            verify_images(item['img_path'] for item in items)

    @classmethod
    def find_problems(
        cls,
        t2i: dict[str, Any],
        i2i: dict[str, Any],
        labels: str = 'unified',
        leak: str | None = None,
        **_: Any,  # noqa: ANN401
    ) -> list[str]:
        """Say what is missing of either set; see :class:`BaseReIDDataset`.

        The test splits are looked at too if ``leak`` needs them, and a choice of
        options that can't work is a problem like others.
        """
        try:
            _check_options(t2i, i2i, labels, leak)
        except ValueError as error:
            return [str(error)]
        splits = ('train', 'test') if leak in ('image', 'identity') else ('train',)
        found = [
            problem
            for config in (t2i, i2i)
            for split in splits
            for problem in _dataset_class(config).find_problems(
                **dict(config, split=split)
            )
        ]
        return list(dict.fromkeys(found))

    def _log(self, labels: str, leak: str) -> None:
        report = self.report
        print_log(
            f'{self.name}: {self.num_ids:,} labels ({labels}: {report.merged_ids:,} '
            f"identities merged). leak='{leak}' removed {report.t2i_removed:,} of "
            f'{report.t2i_total:,} captioned items and {report.i2i_removed:,} of '
            f'{report.i2i_total:,} pictures: {_LEAKS[leak]}.',
            logger='current',
        )


def _dataset_class(config: dict[str, Any]) -> type[BaseReIDDataset]:
    found = DATASETS.get(config['type'])
    if not issubclass(found, BaseReIDDataset):
        raise ValueError(f'JointDataset joins data sets on disk, not {config["type"]}.')
    return found


def _find_match(t2i: dict[str, Any], i2i: dict[str, Any]) -> Match | None:
    benchmarks = (_dataset_class(t2i).benchmark, _dataset_class(i2i).benchmark)
    return KNOWN.get(benchmarks)


def _check_options(
    t2i: dict[str, Any],
    i2i: dict[str, Any],
    labels: str,
    leak: str | None,
) -> None:
    match = _find_match(t2i, i2i)
    if labels not in ('unified', 'disjoint'):
        raise ValueError(f"labels must be 'unified' or 'disjoint', got {labels!r}.")
    if leak is not None and leak not in _LEAKS:
        raise ValueError(f'leak must be one of {[*_LEAKS]}, got {leak!r}. {_CHOICES}.')
    names = f'{_dataset_class(t2i).benchmark} and {_dataset_class(i2i).benchmark}'
    if match is not None and leak is None:
        raise ValueError(
            f'{names} share people, so the training set of one task holds people of '
            f"the other's test split. Say what to do: {_CHOICES}."
        )
    if match is None and leak in ('image', 'identity'):
        raise ValueError(
            f"leak='{leak}' can't be done: who of {names} is the same person isn't "
            'known. Add the pair to hplreid/datasets/correspondence.py, or leave leak '
            'out.'
        )
    for role, config in (('t2i', t2i), ('i2i', i2i)):
        if config.get('pipeline'):
            raise ValueError(
                f'{role}.pipeline: set the pipeline of the joint data set.'
            )
        if config.get('split', 'train') != 'train':
            raise ValueError(f"{role}.split must be 'train', got '{config['split']}'.")


def _read_tests(t2i: dict[str, Any], i2i: dict[str, Any]) -> Pair:
    quick = {'split': 'test', 'expected': None, 'verify': False}
    return Pair(*(_items(DATASETS.build(dict(c, **quick))) for c in (t2i, i2i)))


def _remove(
    train: Pair, test: Pair, groups: IdentityGroups, match: Match, leak: str | None
) -> Pair:
    if leak == 'identity':
        return remove_identities(train, test, groups)
    if leak == 'image':
        return remove_pictures(train, test, match)
    return train


def _items(dataset: ItemDataset) -> list[Item]:
    return [dataset.get_data_info(index) for index in range(len(dataset))]


def _relabel(
    kept: Pair, groups: IdentityGroups | None
) -> tuple[list[Item], dict[str, int]]:
    """Number the people of both sets, those of the text-image set first.

    Args:
        kept: Items.
        groups: Who is who, or None to count each set by itself.

    Returns:
        The items with their labels, and the label of each ``'<task>:<pid>'``.
    """
    label_of_group: dict[tuple[str, int], int] = {}
    label_of: dict[str, int] = {}
    parts: Sequence[tuple[str, list[Item]]] = (('t2i', kept.t2i), ('i2i', kept.i2i))
    for task, items in parts:
        for pid in sorted({item['pid'] for item in items}):
            node = (task, pid)
            group = node if groups is None else groups.find(node)
            label_of[f'{task}:{pid}'] = label_of_group.setdefault(
                group, len(label_of_group)
            )
    labelled = [
        dict(item, label=label_of[f'{task}:{item["pid"]}'])
        for task, items in parts
        for item in items
    ]
    return labelled, label_of

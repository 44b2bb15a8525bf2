"""A text-image and an image set trained on together."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from mmengine.logging import print_log

from hplreid.registry import DATASETS

from ..base import BaseReIDDataset
from ..errors import EmptySplitError, MissingDataError
from ..images.image_files import verify_images
from ..items import Item, ItemDataset, Pipeline
from .identity_matching import (
    IDENTITY_MATCHERS,
    IdentityGroups,
    Match,
    group_identities,
)
from .leak_option import LEAK_OPTIONS, check_leak_option, check_original_pids
from .leakage import (
    HeldOutSplit,
    LeakReasons,
    Pair,
    find_identity_leaks,
    find_image_leaks,
)


@dataclass(frozen=True)
class JointReport:
    """What joining two sets merged and removed.

    ``t2i_reasons`` and ``i2i_reasons`` count the removed items by the held-out splits
    that they leak from: ``'Market-1501 test'``, or several joined by ``' and '``.
    """

    t2i_total: int
    t2i_removed: int
    t2i_reasons: Mapping[str, int]
    i2i_total: int
    i2i_removed: int
    i2i_reasons: Mapping[str, int]
    merged_ids: int


@DATASETS.register_module()
class JointDataset(ItemDataset):
    """The captioned items of one set, followed by the images of another.

    Args:
        t2i: Config of the text-image set.
        i2i: Config of the image set.
        labels: ``'unified'``: people known to be in both sets have one label;
            ``'disjoint'``: the labels of the second follow those of the first.
        leak: What to do about people in the test split of the other task. It must be
            said for pairs known to overlap. ``'none'``: nothing; ``'image'``: drop the
            exact images that the other test split holds; ``'identity'``: drop every
            item of a person in either test split, or in ``'val'`` of the captioned set.
            Only ``'none'`` can be done where it can't be told who is who.
        pipeline: Transforms for the items of both.
        verify: Whether to decode every image now, and name all that can't be.

    Raises:
        ValueError: An option isn't known, ``leak`` is needed and not given, or can't
            be done for this pair or this copy of it.
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
        check_original_pids(sets[1], match, labels, leak)
        held_out = _read_held_out(t2i, i2i, leak)
        groups = IdentityGroups()
        reasons = LeakReasons([''] * len(train.t2i), [''] * len(train.i2i))
        if match is not None:
            seen = [split.items for split in held_out if split.task == 't2i']
            groups = group_identities(chain(train.t2i, *seen), match)
            reasons = _find_leaks(train, held_out, groups, match, leak)
        kept = reasons.keep(train)
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
            t2i_reasons=_count(reasons.t2i),
            i2i_total=len(train.i2i),
            i2i_removed=len(train.i2i) - len(kept.i2i),
            i2i_reasons=_count(reasons.i2i),
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

        The held-out splits are looked at too if ``leak`` needs them, and a choice of
        options that can't work is a problem like others.
        """
        try:
            _check_options(t2i, i2i, labels, leak)
        except ValueError as error:
            return [str(error)]
        found = [
            problem
            for config in (t2i, i2i)
            for split in ('train', *_held_out_splits(config, leak))
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
            f'{report.t2i_total:,} captioned items{_detail(report.t2i_reasons)} and '
            f'{report.i2i_removed:,} of {report.i2i_total:,} images'
            f'{_detail(report.i2i_reasons)}: {LEAK_OPTIONS[leak]}.',
            logger='current',
        )


def _dataset_class(config: dict[str, Any]) -> type[BaseReIDDataset]:
    found = DATASETS.get(config['type'])
    if not issubclass(found, BaseReIDDataset):
        raise ValueError(f'JointDataset joins datasets on disk, not {config["type"]}.')
    return found


def _benchmarks(t2i: dict[str, Any], i2i: dict[str, Any]) -> tuple[str, str]:
    return (_dataset_class(t2i).benchmark, _dataset_class(i2i).benchmark)


def _find_match(t2i: dict[str, Any], i2i: dict[str, Any]) -> Match | None:
    return IDENTITY_MATCHERS.get(_benchmarks(t2i, i2i))


def _check_options(
    t2i: dict[str, Any], i2i: dict[str, Any], labels: str, leak: str | None
) -> None:
    if labels not in ('unified', 'disjoint'):
        raise ValueError(f"labels must be 'unified' or 'disjoint', got {labels!r}.")
    check_leak_option(_benchmarks(t2i, i2i), leak)
    for role, config in (('t2i', t2i), ('i2i', i2i)):
        if config.get('pipeline'):
            raise ValueError(f'{role}.pipeline: set the pipeline of the joint dataset.')
        if config.get('split', 'train') != 'train':
            raise ValueError(f"{role}.split must be 'train', got '{config['split']}'.")


def _held_out_splits(config: dict[str, Any], leak: str | None) -> tuple[str, ...]:
    if leak == 'identity':
        splits = _dataset_class(config).splits
        return tuple(split for split in splits if split != 'train')
    return ('test',) if leak == 'image' else ()


def _read_held_out(
    t2i: dict[str, Any], i2i: dict[str, Any], leak: str | None
) -> list[HeldOutSplit]:
    held_out = []
    for task, config in (('t2i', t2i), ('i2i', i2i)):
        for split in _held_out_splits(config, leak):
            quick = dict(config, split=split, expected=None, verify=False)
            try:
                dataset = DATASETS.build(quick)
            except EmptySplitError:
                if split != 'val':  # which not all have, and nobody is held out by it
                    raise
                continue
            name = f'{dataset.name} {split}'
            held_out.append(HeldOutSplit(name, task, _items(dataset)))
    return held_out


def _find_leaks(
    train: Pair,
    held_out: Sequence[HeldOutSplit],
    groups: IdentityGroups,
    match: Match,
    leak: str | None,
) -> LeakReasons:
    if leak == 'image':
        t2i_test, i2i_test = held_out
        return find_image_leaks(train, t2i_test, i2i_test, match)
    return find_identity_leaks(train, held_out, groups)


def _count(reasons: Sequence[str]) -> dict[str, int]:
    return dict(sorted(Counter(filter(None, reasons)).items()))


def _detail(reasons: Mapping[str, int]) -> str:
    parts = ', '.join(f'{count:,} in {where}' for where, count in reasons.items())
    return f' ({parts})' if parts else ''


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
    labeled = [
        dict(item, label=label_of[f'{task}:{item["pid"]}'])
        for task, items in parts
        for item in items
    ]
    return labeled, label_of

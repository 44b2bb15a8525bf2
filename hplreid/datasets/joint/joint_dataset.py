"""Joint training on a text-to-image and an image-to-image dataset."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from hplreid.registry import DATASETS
from hplreid.utils.log import log

from ..base import BaseReIDDataset
from ..errors import EmptySplitError, MissingDataError
from ..images.image_files import verify_images
from ..items import Item, ItemDataset, Pipeline
from .identity_matching import (
    IDENTITY_MATCHERS,
    Identity,
    IdentityGroups,
    IdentityMatcher,
    group_identities,
)
from .leak_option import LEAK_OPTIONS, TASKS, check_leak_option, check_original_pids
from .leakage import (
    HeldOutSplit,
    JointItems,
    LeakReasons,
    find_identity_leaks,
    find_image_leaks,
)


@dataclass(frozen=True)
class JointReport:
    """Counts of merged identities and removed items.

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
    """The captioned items of a t2i dataset, followed by the images of an i2i dataset.

    Args:
        t2i: Config of the text-to-image dataset.
        i2i: Config of the image-to-image dataset.
        labels: ``'unified'``: identities known to be in both datasets share a label;
            ``'disjoint'``: the labels of the second dataset follow those of the first.
        leak: What to remove from training because of the held-out splits. Required for
            pairs with common identities. ``'none'``: nothing; ``'image'``: the images
            that are in the other task's test split; ``'identity'``: all items of an
            identity in either test split or in ``'val'`` of the t2i dataset. Only
            ``'none'`` is possible where common identities can't be matched.
        protect: Tasks whose held-out splits are protected by ``leak``; of the other
            task, all training items stay that only its own splits forbid. Defaults to
            both.
        pipeline: Transforms for the items of both datasets.
        verify: Whether to decode every image now and list all unreadable ones.

    Raises:
        ValueError: An option is invalid, or ``leak`` is missing or impossible for this
            pair.
        MissingDataError: See :meth:`find_problems`.
    """

    def __init__(
        self,
        t2i: dict[str, Any],
        i2i: dict[str, Any],
        labels: str = 'unified',
        leak: str | None = None,
        protect: Sequence[str] = TASKS,
        pipeline: Pipeline = (),
        verify: bool = False,
    ) -> None:
        matcher = IDENTITY_MATCHERS.get(_benchmarks(t2i, i2i))
        _check_options(t2i, i2i, labels, leak, protect)
        problems = self.find_problems(t2i=t2i, i2i=i2i, leak=leak, protect=protect)
        if problems:
            raise MissingDataError('\n'.join(problems))
        datasets: list[BaseReIDDataset] = [DATASETS.build(c) for c in (t2i, i2i)]
        train = JointItems(*(_items_of(dataset) for dataset in datasets))
        check_original_pids(datasets[1], matcher, labels, leak)
        held_out = _read_held_out(t2i, i2i, leak)
        groups = IdentityGroups()
        reasons = LeakReasons([''] * len(train.t2i), [''] * len(train.i2i))
        if matcher is not None:
            held_out_t2i = [split.items for split in held_out if split.task == 't2i']
            groups = group_identities(chain(train.t2i, *held_out_t2i), matcher)
            protected = [split for split in held_out if split.task in protect]
            reasons = _find_leaks(train, protected, groups, matcher, leak)
        kept = reasons.remove_leaks(train)
        items, label_of = _relabel(kept, groups if labels == 'unified' else None)
        num_ids = len(set(label_of.values()))
        self.name = f'{datasets[0].name}+{datasets[1].name}'
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
            t2i_reasons=_count_reasons(reasons.t2i),
            i2i_total=len(train.i2i),
            i2i_removed=len(train.i2i) - len(kept.i2i),
            i2i_reasons=_count_reasons(reasons.i2i),
            merged_ids=len(label_of) - num_ids,
        )
        self._log(labels, leak or 'none', protect)
        if verify:
            verify_images(item['img_path'] for item in items)

    @classmethod
    def find_problems(
        cls,
        t2i: dict[str, Any],
        i2i: dict[str, Any],
        labels: str = 'unified',
        leak: str | None = None,
        protect: Sequence[str] = TASKS,
        **_: Any,  # noqa: ANN401
    ) -> list[str]:
        """Return messages about what is missing; see :class:`BaseReIDDataset`.

        The held-out splits are checked too if ``leak`` needs them. Invalid options are
        also reported as a message.
        """
        try:
            _check_options(t2i, i2i, labels, leak, protect)
        except ValueError as error:
            return [str(error)]
        problems = [
            problem
            for config in (t2i, i2i)
            for split in ('train', *_held_out_splits(config, leak))
            for problem in _dataset_class(config).find_problems(
                **dict(config, split=split)
            )
        ]
        return list(dict.fromkeys(problems))

    def _log(self, labels: str, leak: str, protect: Sequence[str]) -> None:
        report = self.report
        one_sided = '' if set(protect) == set(TASKS) else f' for {protect[0]} alone'
        log(
            f'{self.name}: {self.num_ids:,} labels ({labels}: {report.merged_ids:,} '
            f"identities merged). leak='{leak}' removed {report.t2i_removed:,} of "
            f'{report.t2i_total:,} captioned items'
            f'{_format_reasons(report.t2i_reasons)} and '
            f'{report.i2i_removed:,} of {report.i2i_total:,} images'
            f'{_format_reasons(report.i2i_reasons)}: {LEAK_OPTIONS[leak]}{one_sided}.'
        )


def _dataset_class(config: dict[str, Any]) -> type[BaseReIDDataset]:
    cls = DATASETS.get(config['type'])
    if not issubclass(cls, BaseReIDDataset):
        raise ValueError(
            f'JointDataset: t2i and i2i must be datasets on disk, got {config["type"]}.'
        )
    return cls


def _benchmarks(t2i: dict[str, Any], i2i: dict[str, Any]) -> tuple[str, str]:
    return (_dataset_class(t2i).benchmark, _dataset_class(i2i).benchmark)


def _check_options(
    t2i: dict[str, Any],
    i2i: dict[str, Any],
    labels: str,
    leak: str | None,
    protect: Sequence[str],
) -> None:
    if labels not in ('unified', 'disjoint'):
        raise ValueError(f"labels must be 'unified' or 'disjoint', got {labels!r}.")
    check_leak_option(_benchmarks(t2i, i2i), leak, protect)
    for task, config in (('t2i', t2i), ('i2i', i2i)):
        if config.get('pipeline'):
            raise ValueError(f'{task}.pipeline: set the pipeline of the JointDataset.')
        if config.get('split', 'train') != 'train':
            raise ValueError(f"{task}.split must be 'train', got '{config['split']}'.")


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
            unchecked = dict(config, split=split, expected=None, verify=False)
            try:
                dataset = DATASETS.build(unchecked)
            except EmptySplitError:
                if split != 'val':  # val is optional
                    raise
                continue
            name = f'{dataset.name} {split}'
            held_out.append(HeldOutSplit(name, task, _items_of(dataset)))
    return held_out


def _find_leaks(
    train: JointItems,
    held_out: Sequence[HeldOutSplit],
    groups: IdentityGroups,
    matcher: IdentityMatcher,
    leak: str | None,
) -> LeakReasons:
    if leak == 'image':
        return find_image_leaks(train, held_out, matcher)
    return find_identity_leaks(train, held_out, groups)


def _count_reasons(reasons: Sequence[str]) -> dict[str, int]:
    return dict(sorted(Counter(filter(None, reasons)).items()))


def _format_reasons(reasons: Mapping[str, int]) -> str:
    parts = ', '.join(f'{count:,} in {splits}' for splits, count in reasons.items())
    return f' ({parts})' if parts else ''


def _items_of(dataset: ItemDataset) -> list[Item]:
    return [dataset.get_data_info(index) for index in range(len(dataset))]


def _relabel(
    kept: JointItems, groups: IdentityGroups | None
) -> tuple[list[Item], dict[str, int]]:
    """Label the identities of both datasets, those of the t2i dataset first.

    Args:
        kept: Items of both datasets.
        groups: Groups of identities that share a label; None for disjoint labels.

    Returns:
        The items with their labels, and the label of each ``'<task>:<pid>'``.
    """
    label_of_group: dict[Identity, int] = {}
    label_of: dict[str, int] = {}
    parts: Sequence[tuple[str, list[Item]]] = (('t2i', kept.t2i), ('i2i', kept.i2i))
    for task, items in parts:
        for pid in sorted({item['pid'] for item in items}):
            identity = (task, pid)
            group = identity if groups is None else groups.find(identity)
            label_of[f'{task}:{pid}'] = label_of_group.setdefault(
                group, len(label_of_group)
            )
    labeled = [
        dict(item, label=label_of[f'{task}:{item["pid"]}'])
        for task, items in parts
        for item in items
    ]
    return labeled, label_of

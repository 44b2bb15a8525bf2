"""Reading a split as far as it can be read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..base import BaseReIDDataset
from ..counts import Counts
from ..errors import AnnotationError, EmptySplitError, MissingDataError
from ..fault_collector import collect_faults
from ..items import Item
from ..own_data.own_dataset import OwnDataset
from .finding import Finding, Severity
from .split_selection import SplitConfig


@dataclass(frozen=True)
class Split:
    """A split that was read; what is at fault is left out.

    Attributes:
        dataset_name: Name of the dataset, for people.
        part: Name of the split, and of the task where that's a choice.
        source: Splits with the same one count identities in the same way.
        held_out: Whether it isn't trained on.
        items: Its items.
        benchmark: Name of the benchmark whose layout it has.
        original_pids: See :class:`BaseReIDDataset`.
        published: Published counts by split of the items; None if it claims none.
        same_camera: See :class:`SplitConfig`.
    """

    dataset_name: str
    part: str
    source: str
    held_out: bool
    items: list[Item]
    benchmark: str = ''
    original_pids: bool = True
    published: Mapping[str, Counts] | None = None
    same_camera: str = 'drop'

    @property
    def name(self) -> str:
        """Dataset and split."""
        return f'{self.dataset_name} {self.part}'

    @property
    def task(self) -> str:
        """``'t2i'`` if there are captions, else ``'i2i'``."""
        captioned = any(item['caption'] is not None for item in self.items)
        return 't2i' if captioned else 'i2i'

    @property
    def paths(self) -> list[str]:
        """The image files, each once, in the order of the items."""
        paths = (i['img_path'] for i in self.items if i['img_path'] is not None)
        return list(dict.fromkeys(paths))


def read_splits(wanted: Iterable[SplitConfig]) -> tuple[list[Split], list[Finding]]:
    """Read splits, each as far as it can be.

    Returns:
        Those that could be read, and what is wrong with annotations and folders. A
        fault of a file that several splits are read from is told once.
    """
    splits: list[Split] = []
    findings: dict[tuple[str, str], Finding] = {}
    for one in wanted:
        split, faults = read_split(one)
        splits += [split] if split else []
        for fault in faults:
            findings.setdefault((fault.check, fault.message), fault)
    return splits, list(findings.values())


def number_duplicate_names(splits: Sequence[Split]) -> list[Split]:
    """Number the second and later datasets of one name."""
    sources: dict[str, list[str]] = {}
    for split in splits:
        same = sources.setdefault(split.dataset_name, [])
        same += [split.source] if split.source not in same else []
    numbers = {s: i for same in sources.values() for i, s in enumerate(same, 1)}
    return [
        split
        if numbers[split.source] == 1
        else replace(
            split, dataset_name=f'{split.dataset_name} #{numbers[split.source]}'
        )
        for split in splits
    ]


def read_split(wanted: SplitConfig) -> tuple[Split | None, list[Finding]]:
    """Read a split; what is missing or can't be understood becomes a finding."""
    own = issubclass(wanted.cls, OwnDataset)
    options = dict(wanted.options) if own else dict(wanted.options, expected=None)
    title = str(wanted.options.get('name') or wanted.cls.benchmark)
    with collect_faults() as noted:
        try:
            dataset = wanted.cls(**options)
        except EmptySplitError as error:
            # Not all have one, and nobody is scored on it
            severity: Severity = 'warning' if wanted.split == 'val' else 'error'
            empty = Finding(
                severity, 'empty split', f'{title} {wanted.split}', 1, str(error)
            )
            return None, [*_annotation_faults(noted, options), empty]
        except (OSError, ValueError, ImportError) as error:
            # What was noted before is why
            missing = [f for f in noted if isinstance(f, MissingDataError)]
            reason = str(missing[0] if missing else error)
            unread = Finding(
                'error', 'unreadable split', f'{title} {wanted.split}', 1, reason
            )
            return None, [*_annotation_faults(noted, options), unread]
    return _to_split(dataset, wanted), _annotation_faults(noted, options)


def _annotation_faults(
    noted: Iterable[Exception], options: Mapping[str, object]
) -> list[Finding]:
    # Missing images are found again, file by file, and so is a part without items
    where = str(options.get('data_root') or options.get('table'))
    return [
        Finding(
            'error',
            'annotation',
            where,
            max(len(error.faults), 1),
            str(error),
            error.faults[:5],
        )
        for error in noted
        if isinstance(error, AnnotationError)
    ]


def _to_split(dataset: BaseReIDDataset, wanted: SplitConfig) -> Split:
    compare = not isinstance(dataset, OwnDataset) and (
        wanted.options.get('expected', 'published') is not None
    )
    task = wanted.options.get('task')
    return Split(
        dataset_name=dataset.name,
        part=f'{dataset.split} ({task})' if task else dataset.split,
        source=wanted.source,
        held_out=dataset.split != 'train',
        items=[dataset.get_data_info(index) for index in range(len(dataset))],
        benchmark=dataset.benchmark,
        original_pids=dataset.original_pids,
        published=dataset.published_counts if compare else None,
        same_camera=wanted.same_camera,
    )

"""Reading splits despite their faults, which become findings."""

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
    """A split that was read, without its faulty entries.

    Attributes:
        dataset_name: Name of the dataset.
        part: Name of the split, and of the task if the dataset allows several.
        source: Splits with equal sources share their identity numbers.
        held_out: Whether it is used for evaluation only.
        items: Its items.
        benchmark: Name of the benchmark whose layout it has.
        original_pids: See :class:`BaseReIDDataset`.
        published: Published counts by split of the items; None if not compared.
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
        """Return the names of dataset and split."""
        return f'{self.dataset_name} {self.part}'

    @property
    def task(self) -> str:
        """Return ``'t2i'`` if there are captions, else ``'i2i'``."""
        captioned = any(item['caption'] is not None for item in self.items)
        return 't2i' if captioned else 'i2i'

    @property
    def paths(self) -> list[str]:
        """Return the image files, each once, in the order of the items."""
        paths = (i['img_path'] for i in self.items if i['img_path'] is not None)
        return list(dict.fromkeys(paths))


def read_splits(configs: Iterable[SplitConfig]) -> tuple[list[Split], list[Finding]]:
    """Read splits; missing and invalid data become findings.

    Returns:
        The splits that could be read, and the findings about annotations and folders.
        A fault in a file that several splits are read from is reported once.
    """
    splits: list[Split] = []
    findings: dict[tuple[str, str], Finding] = {}
    for config in configs:
        split, split_findings = read_split(config)
        splits += [split] if split else []
        for finding in split_findings:
            findings.setdefault((finding.check, finding.message), finding)
    return splits, list(findings.values())


def number_duplicate_names(splits: Sequence[Split]) -> list[Split]:
    """Append a number to the name of the second and later datasets of equal name."""
    sources_of: dict[str, list[str]] = {}
    for split in splits:
        sources = sources_of.setdefault(split.dataset_name, [])
        sources += [split.source] if split.source not in sources else []
    numbers = {
        s: i for sources in sources_of.values() for i, s in enumerate(sources, 1)
    }
    return [
        split
        if numbers[split.source] == 1
        else replace(
            split, dataset_name=f'{split.dataset_name} #{numbers[split.source]}'
        )
        for split in splits
    ]


def read_split(config: SplitConfig) -> tuple[Split | None, list[Finding]]:
    """Read a split; missing and invalid data become findings."""
    own = issubclass(config.cls, OwnDataset)
    options = dict(config.options) if own else dict(config.options, expected=None)
    title = str(config.options.get('name') or config.cls.benchmark)
    with collect_faults() as collected:
        try:
            dataset = config.cls(**options)
        except EmptySplitError as error:
            # val is optional, and no scores are reported on it
            severity: Severity = 'warning' if config.split == 'val' else 'error'
            empty = Finding(
                severity, 'empty split', f'{title} {config.split}', 1, str(error)
            )
            return None, [*_annotation_faults(collected, options), empty]
        except (OSError, ValueError, ImportError) as error:
            # An error that was collected before is the cause
            missing = [f for f in collected if isinstance(f, MissingDataError)]
            reason = str(missing[0] if missing else error)
            unread = Finding(
                'error', 'unreadable split', f'{title} {config.split}', 1, reason
            )
            return None, [*_annotation_faults(collected, options), unread]
    return _to_split(dataset, config), _annotation_faults(collected, options)


def _annotation_faults(
    collected: Iterable[Exception], options: Mapping[str, object]
) -> list[Finding]:
    # Only annotation errors: other checks find missing images and empty parts
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
        for error in collected
        if isinstance(error, AnnotationError)
    ]


def _to_split(dataset: BaseReIDDataset, config: SplitConfig) -> Split:
    compare = not isinstance(dataset, OwnDataset) and (
        config.options.get('expected', 'published') is not None
    )
    task = config.options.get('task')
    return Split(
        dataset_name=dataset.name,
        part=f'{dataset.split} ({task})' if task else dataset.split,
        source=config.source,
        held_out=dataset.split != 'train',
        items=[dataset.get_data_info(index) for index in range(len(dataset))],
        benchmark=dataset.benchmark,
        original_pids=dataset.original_pids,
        published=dataset.published_counts if compare else None,
        same_camera=config.same_camera,
    )

"""Running all checks of the doctor on the splits of a dataset."""

from collections.abc import Sequence

from .checks.captions import check_captions, count_tokens
from .checks.copies import check_copies
from .checks.files import check_files, check_shapes
from .checks.identities import (
    check_cameras,
    check_counts,
    check_held_out,
    check_parts,
    check_queries,
)
from .file_inspection import FileFacts, inspect_files
from .finding import Finding
from .overlap import Overlap, find_overlaps
from .report import Report
from .split_reader import Split, number_duplicate_names, read_splits
from .split_selection import SplitConfig, drop_duplicates
from .split_statistics import describe_split


def examine(
    target: str,
    configs: Sequence[SplitConfig],
    against: Sequence[SplitConfig] = (),
    workers: int | None = None,
    quick: bool = False,
    progress: bool = False,
) -> tuple[Report, list[Split], dict[str, FileFacts]]:
    """Examine splits for faults; the order of the findings is deterministic.

    Args:
        target: What the splits belong to, for the report.
        configs: The splits to examine.
        against: Splits that are only compared with these.
        workers: See :func:`inspect_files`.
        quick: Whether to skip decoding and comparing images.
        progress: Whether to show a progress bar.

    Returns:
        The report; the splits that could be read; the facts about each image file.

    Example:
        >>> from pathlib import Path
        >>> from hplreid.datasets.doctor import find_split_configs
        >>> Path('train/anna').mkdir(parents=True)
        >>> Path('train/anna/1.jpg').touch()
        >>> configs = find_split_configs({'type': 'FolderDataset', 'data_root': '.'})
        >>> report, splits, facts = examine('my images', configs)
        >>> [(finding.check, finding.examples) for finding in report.findings]
        [('empty file', ('1.jpg',))]
    """
    splits, findings = read_splits(drop_duplicates(configs))
    others, faults = read_splits(drop_duplicates(against))
    findings += faults
    renamed = number_duplicate_names([*splits, *others])
    splits, others = renamed[: len(splits)], renamed[len(splits) :]
    paths = [path for split in splits for path in split.paths]
    other_paths = [path for split in others for path in split.paths]
    all_facts = inspect_files([*paths, *other_paths], workers, quick, progress)
    facts = {path: all_facts[path] for path in paths}
    captions = [i['caption'] for s in splits for i in s.items if i['caption']]
    tokens = count_tokens(list(dict.fromkeys(captions)))
    findings += run_checks(splits, facts, tokens)
    report = Report(
        target,
        sorted(findings, key=_sort_key),
        [describe_split(split, facts, tokens) for split in splits],
        find_overlaps_within(splits, facts) + find_overlaps(splits, others, all_facts),
        len(facts),
        quick,
    )
    return report, splits, facts


def run_checks(
    splits: Sequence[Split], facts: dict[str, FileFacts], tokens: dict[str, int]
) -> list[Finding]:
    """Run all checks on splits.

    Args:
        splits: The splits.
        facts: Facts about each image file.
        tokens: Number of tokens of each caption.
    """
    findings = check_files(facts)
    for split in splits:
        findings += check_counts(split)
        findings += check_parts(split)
        findings += check_cameras(split)
        findings += check_queries(split)
        findings += check_captions(split, tokens)
        findings += check_shapes(split.name, split.paths, facts)
    findings += check_held_out(splits)
    findings += check_copies(splits, facts)
    return findings


def find_overlaps_within(
    splits: Sequence[Split], facts: dict[str, FileFacts]
) -> list[Overlap]:
    """Compare each split with those after it."""
    return [
        overlap
        for position, split in enumerate(splits)
        for overlap in find_overlaps([split], splits[position + 1 :], facts)
    ]


def _sort_key(finding: Finding) -> bool:
    return finding.severity != 'error'

"""All checks, one after the other."""

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
    wanted: Sequence[SplitConfig],
    against: Sequence[SplitConfig] = (),
    workers: int | None = None,
    quick: bool = False,
    progress: bool = False,
) -> tuple[Report, list[Split], dict[str, FileFacts]]:
    """Examine splits; the order of everything that is found doesn't vary.

    Args:
        target: What they are of, for the report.
        wanted: The splits.
        against: Splits that are only compared with these.
        workers: See :func:`inspect_files`.
        quick: Whether to leave images undecoded and uncompared.
        progress: Whether to show a progress bar.

    Returns:
        The report; the splits that could be read; what is known of each file.
    """
    splits, findings = read_splits(drop_duplicates(wanted))
    others, faults = read_splits(drop_duplicates(against))
    findings += faults
    everything = number_duplicate_names([*splits, *others])
    splits, others = everything[: len(splits)], everything[len(splits) :]
    paths = [path for split in splits for path in split.paths]
    compared = [path for split in others for path in split.paths]
    facts = inspect_files([*paths, *compared], workers, quick, progress)
    mine = {path: facts[path] for path in paths}
    captions = [i['caption'] for s in splits for i in s.items if i['caption']]
    tokens = count_tokens(list(dict.fromkeys(captions)))
    findings += check_files(mine)
    for split in splits:
        findings += check_counts(split)
        findings += check_parts(split)
        findings += check_cameras(split)
        findings += check_queries(split)
        findings += check_captions(split, tokens)
        findings += check_shapes(split.name, split.paths, mine)
    findings += check_held_out(splits)
    findings += check_copies(splits, mine)
    report = Report(
        target,
        sorted(findings, key=_severity),
        [describe_split(split, mine, tokens) for split in splits],
        find_overlaps_within(splits, mine) + find_overlaps(splits, others, facts),
        len(mine),
        quick,
    )
    return report, splits, mine


def find_overlaps_within(
    splits: Sequence[Split], facts: dict[str, FileFacts]
) -> list[Overlap]:
    """Compare each split with those after it."""
    return [
        overlap
        for position, split in enumerate(splits)
        for overlap in find_overlaps([split], splits[position + 1 :], facts)
    ]


def _severity(finding: Finding) -> bool:
    return finding.severity != 'error'

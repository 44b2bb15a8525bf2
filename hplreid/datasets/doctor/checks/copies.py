"""Checks for duplicate images, by their bytes."""

import os
from collections.abc import Iterable, Mapping, Sequence

from ...counts import list_repeated
from ..file_inspection import FileFacts
from ..finding import Finding, make_findings
from ..split_reader import Split

PathsOfDigest = Mapping[bytes, Sequence[str]]


def group_by_content(split: Split, facts: Mapping[str, FileFacts]) -> PathsOfDigest:
    """Return the paths of a split's images, grouped by the hash of the file."""
    groups: dict[bytes, list[str]] = {}
    for path in split.paths:
        digest = facts[path].digest
        if digest is not None:
            groups.setdefault(digest, []).append(path)
    return groups


def check_copies(
    splits: Sequence[Split], facts: Mapping[str, FileFacts]
) -> list[Finding]:
    """Find images in training and test, with two identities, or twice in a split.

    A copy is reported once, as the most serious of these. Datasets for two tasks may
    share images, as CUHK-PEDES and Market-1501 do: only splits of one task are compared
    for leaks, and only identities of one dataset for contradictions.
    """
    contents = [group_by_content(split, facts) for split in splits]
    pairs = list(zip(splits, contents, strict=True))
    findings: list[Finding] = []
    leaked: set[bytes] = set()
    for train, train_paths in pairs:
        for test, test_paths in pairs:
            if train.held_out or not test.held_out or train.task != test.task:
                continue
            common = [digest for digest in test_paths if digest in train_paths]
            leaked |= set(common)
            findings += make_findings(
                'error',
                'test image trained on',
                f'{train.name} and {test.name}',
                [f'{train_paths[d][0]} = {test_paths[d][0]}' for d in common],
                'the same images are in training and in the test split',
                'Remove them from training: scores would reward memorization.',
            )
    for split in splits:
        findings += _check_listed_twice(split)
    reported = leaked | set(_find_contradictions(splits, facts))
    findings += _check_contradictions(splits, facts, leaked)
    for split, content in pairs:
        duplicates = [p for d, p in content.items() if len(p) > 1 and d not in reported]
        findings += make_findings(
            'warning',
            'image twice',
            split.name,
            [' = '.join(paths[:3]) for paths in duplicates],
            'the same image has several file names',
            'Keep one of the files: the others count as further images.',
        )
    return findings


def _check_listed_twice(split: Split) -> list[Finding]:
    """Find images, or pairs of image and caption, that the split lists repeatedly."""
    pids_of: dict[str, set[int]] = {}
    for item in split.items:
        pids_of.setdefault(item['img_path'], set()).add(item['pid'])
    # With two identities it is a contradiction, which is an error of its own
    repeated = [p for p in list_repeated(split.items).images if len(pids_of[p]) == 1]
    return make_findings(
        'warning',
        'image listed twice',
        split.name,
        [os.path.basename(path) for path in repeated],
        'the annotation lists the same image, with the same caption, again',
        'Check whether it was merged with itself: each entry counts as an image.',
    )


def _find_contradictions(
    splits: Iterable[Split], facts: Mapping[str, FileFacts]
) -> dict[bytes, dict[int, str]]:
    """Return a path for each identity, of images with several identities."""
    by_content: dict[tuple[str, bytes], dict[int, str]] = {}
    for split in splits:
        for item in split.items:
            path = item['img_path']
            digest = None if path is None else facts[path].digest
            if digest is not None:
                path_of = by_content.setdefault((split.source, digest), {})
                path_of.setdefault(item['pid'], path)
    return {d: path_of for (_, d), path_of in by_content.items() if len(path_of) > 1}


def _check_contradictions(
    splits: Sequence[Split], facts: Mapping[str, FileFacts], leaked: set[bytes]
) -> list[Finding]:
    findings = []
    for source in dict.fromkeys(split.source for split in splits):
        same_source = [split for split in splits if split.source == source]
        contradictions = _find_contradictions(same_source, facts)
        findings += make_findings(
            'error',
            'one image, two identities',
            ' and '.join(split.name for split in same_source),
            [
                ' = '.join(f'{path} (identity {pid})' for pid, path in path_of.items())
                for digest, path_of in contradictions.items()
                if digest not in leaked
            ],
            'the same image is labeled with different identities',
            'Check which identity is correct, and remove the other copies.',
        )
    return findings

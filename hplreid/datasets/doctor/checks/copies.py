"""Images that are there twice, by their bytes."""

from collections.abc import Iterable, Mapping, Sequence

from ..file_inspection import FileFacts
from ..finding import Finding, found
from ..split_reader import Split

Digests = Mapping[bytes, Sequence[str]]


def group_by_content(split: Split, facts: Mapping[str, FileFacts]) -> Digests:
    """Return the paths of a split's images, by hash of the file."""
    groups: dict[bytes, list[str]] = {}
    for path in split.paths:
        digest = facts[path].digest
        if digest is not None:
            groups.setdefault(digest, []).append(path)
    return groups


def check_copies(
    splits: Sequence[Split], facts: Mapping[str, FileFacts]
) -> list[Finding]:
    """Find images in training and test, under two identities, or twice in a split.

    A copy is told once, as the worst of these. Two tasks may share images, as
    CUHK-PEDES and Market-1501 do: only splits of one task are compared for leaks, and
    identities of one dataset for contradictions.
    """
    contents = [group_by_content(split, facts) for split in splits]
    pairs = list(zip(splits, contents, strict=True))
    findings: list[Finding] = []
    leaked: set[bytes] = set()
    for train, trained in pairs:
        for test, tested in pairs:
            if train.held_out or not test.held_out or train.task != test.task:
                continue
            common = [digest for digest in tested if digest in trained]
            leaked |= set(common)
            findings += found(
                'error',
                'test image trained on',
                f'{train.name} and {test.name}',
                [f'{trained[d][0]} = {tested[d][0]}' for d in common],
                'the same image is in training and in the test split',
                'Remove it from training: scores would count what was memorized.',
            )
    told = leaked | set(_find_contradictions(splits, facts))
    findings += _check_contradictions(splits, facts, leaked)
    for split, content in pairs:
        twice = [p for d, p in content.items() if len(p) > 1 and d not in told]
        findings += found(
            'warning',
            'image twice',
            split.name,
            [' = '.join(paths[:3]) for paths in twice],
            'the same image is there under several names',
            'Keep one of them: the others count as images that they are not.',
        )
    return findings


def _find_contradictions(
    splits: Iterable[Split], facts: Mapping[str, FileFacts]
) -> dict[bytes, dict[int, str]]:
    """Return the path under each identity, of content that several have."""
    seen: dict[tuple[str, bytes], dict[int, str]] = {}
    for split in splits:
        for item in split.items:
            path = item['img_path']
            digest = None if path is None else facts[path].digest
            if digest is not None:
                people = seen.setdefault((split.source, digest), {})
                people.setdefault(item['pid'], path)
    return {d: people for (_, d), people in seen.items() if len(people) > 1}


def _check_contradictions(
    splits: Sequence[Split], facts: Mapping[str, FileFacts], leaked: set[bytes]
) -> list[Finding]:
    findings = []
    for source in dict.fromkeys(split.source for split in splits):
        mine = [split for split in splits if split.source == source]
        wrong = _find_contradictions(mine, facts)
        findings += found(
            'error',
            'one image, two identities',
            ' and '.join(split.name for split in mine),
            [
                ' = '.join(f'{path} (identity {pid})' for pid, path in people.items())
                for digest, people in wrong.items()
                if digest not in leaked
            ],
            'the same image is said to show different people',
            'Look who it is, and remove the other copies.',
        )
    return findings

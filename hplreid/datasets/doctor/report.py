"""What was found, as data and as text."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from prettytable import PrettyTable

from .finding import Finding
from .overlap import Overlap


@dataclass(frozen=True)
class Report:
    """The result of an examination.

    Attributes:
        target: What was examined.
        findings: What is wrong, errors first.
        splits: See :func:`describe_split`.
        overlaps: What different datasets share.
        files: How many image files were looked at.
        quick: Whether they were neither decoded nor compared.
    """

    target: str
    findings: list[Finding]
    splits: list[dict[str, Any]]
    overlaps: list[Overlap]
    files: int
    quick: bool = False

    @property
    def healthy(self) -> bool:
        """Whether there is no error; warnings don't count."""
        return all(finding.severity != 'error' for finding in self.findings)

    def to_json(self) -> str:
        """Return everything as JSON."""
        everything = {'healthy': self.healthy, **asdict(self)}
        return json.dumps(everything, indent=2, ensure_ascii=False) + '\n'

    def to_text(self) -> str:
        """Return everything for people to read."""
        looked = 'looked for, not read' if self.quick else 'read'
        blocks = [
            f'{self.target}: {self.files:,} image files {looked}',
            _table_of_splits(self.splits),
            _table_of_captions(self.splits),
            _table_of_overlaps(self.overlaps),
            *(_write(i, finding) for i, finding in enumerate(self.findings, start=1)),
            summarize(self.findings),
        ]
        return '\n\n'.join(block for block in blocks if block) + '\n'


def summarize(findings: Sequence[Finding]) -> str:
    """Return the last line: how many errors and warnings there are."""
    if not findings:
        return 'Healthy: nothing was found.'
    errors = sum(finding.severity == 'error' for finding in findings)
    verdict = 'Not healthy' if errors else 'Healthy, but have a look'
    warnings = len(findings) - errors
    return f'{verdict}: {_plural(errors, "error")}, {_plural(warnings, "warning")}.'


def _plural(count: int, noun: str) -> str:
    return f'{count:,} {noun}{"s" * (count != 1)}'


def _write(number: int, finding: Finding) -> str:
    head = f'{number}. {finding.severity.upper()}: {finding.check}, {finding.count:,}'
    # An annotation's message lists its faults itself
    unsaid = [e for e in finding.examples if e not in finding.message]
    more = finding.count - len(unsaid)
    lines = [
        *finding.message.splitlines(),
        *(f'  {example}' for example in unsaid),
        *([f'  and {more:,} more'] if unsaid and more > 0 else []),
        *([finding.advice] if finding.advice else []),
    ]
    return '\n   '.join([f'{head} in {finding.where}', *lines])


def _table_of_splits(splits: Sequence[dict[str, Any]]) -> str:
    rows = []
    for split in splits:
        for part, counts in split['parts'].items():
            # Sizes are those of all the split's images
            images = split['images'] if counts['images'] else None
            rows.append(
                [
                    split['name'],
                    part,
                    f'{counts["identities"]:,}',
                    f'{counts["images"]:,}' if counts['images'] else '',
                    split['cameras'] or '' if counts['images'] else '',
                    _spread(images['width']) if images else '',
                    _spread(images['height']) if images else '',
                ]
            )
    header = ['split', 'part', 'identities', 'images', 'cameras', 'width', 'height']
    return _draw(header, rows)


def _table_of_captions(splits: Sequence[dict[str, Any]]) -> str:
    header = ['captions of', 'number', 'distinct', 'words', 'most tokens', 'cut']
    rows = [
        [
            split['name'],
            f'{told["captions"]:,}',
            f'{told["distinct"]:,}',
            _spread(told['words']),
            told['tokens'],
            f'{told["cut"]:,}',
        ]
        for split in splits
        if (told := split['captions'])
    ]
    return _draw(header, rows)


def _table_of_overlaps(overlaps: Sequence[Overlap]) -> str:
    rows = []
    notes = []
    for overlap in overlaps:
        mark = ''
        if overlap.note:
            notes += [overlap.note] if overlap.note not in notes else []
            mark = f'({notes.index(overlap.note) + 1})'
        people = mark or ('' if overlap.people is None else f'{overlap.people:,}')
        rows.append([overlap.first, overlap.second, f'{overlap.images:,}', people])
    table = _draw(['of', 'are in', 'images', 'people, by number'], rows)
    return '\n'.join([table, *(f'({i}) {n}' for i, n in enumerate(notes, start=1))])


def _spread(values: Sequence[float]) -> str:
    return ' / '.join(f'{value:g}' for value in values)


def _draw(header: list[str], rows: list[list[Any]]) -> str:
    if not rows:
        return ''
    table = PrettyTable(header)
    table.align = 'l'
    table.add_rows(rows)
    return table.get_string()

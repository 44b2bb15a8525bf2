"""The report of the doctor, as JSON and as text."""

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
        findings: The findings, errors first.
        splits: Statistics of each split, see :func:`describe_split`.
        overlaps: Overlaps of different datasets.
        files: Number of image files examined.
        quick: Whether images were neither decoded nor compared.
    """

    target: str
    findings: list[Finding]
    splits: list[dict[str, Any]]
    overlaps: list[Overlap]
    files: int
    quick: bool = False

    @property
    def healthy(self) -> bool:
        """Return whether there is no error; warnings don't count."""
        return all(finding.severity != 'error' for finding in self.findings)

    def to_json(self) -> str:
        """Return the report as JSON."""
        content = {'healthy': self.healthy, **asdict(self)}
        return json.dumps(content, indent=2, ensure_ascii=False) + '\n'

    def to_text(self) -> str:
        """Return the report as readable text."""
        action = 'found, not decoded' if self.quick else 'decoded'
        blocks = [
            f'{self.target}: {self.files:,} image files {action}',
            _format_splits(self.splits),
            _format_captions(self.splits),
            _format_overlaps(self.overlaps),
            *(_format_finding(i, f) for i, f in enumerate(self.findings, start=1)),
            summarize(self.findings),
        ]
        return '\n\n'.join(block for block in blocks if block) + '\n'


def summarize(findings: Sequence[Finding]) -> str:
    """Return the verdict and the number of errors and warnings.

    Example:
        >>> summarize([])
        'Healthy: no errors, no warnings.'
        >>> summarize([Finding('warning', 'image twice', 'train', 1, 'a = b')])
        'Healthy with warnings: 0 errors, 1 warning.'
    """
    if not findings:
        return 'Healthy: no errors, no warnings.'
    errors = sum(finding.severity == 'error' for finding in findings)
    verdict = 'Not healthy' if errors else 'Healthy with warnings'
    warnings = len(findings) - errors
    return (
        f'{verdict}: {_pluralize(errors, "error")}, {_pluralize(warnings, "warning")}.'
    )


def _pluralize(count: int, noun: str) -> str:
    return f'{count:,} {noun}{"s" * (count != 1)}'


def _format_finding(number: int, finding: Finding) -> str:
    head = f'{number}. {finding.severity.upper()}: {finding.check}, {finding.count:,}'
    # The message about an annotation already lists its faults
    examples = [e for e in finding.examples if e not in finding.message]
    more = finding.count - len(examples)
    lines = [
        *finding.message.splitlines(),
        *(f'  {example}' for example in examples),
        *([f'  and {more:,} more'] if examples and more > 0 else []),
        *([finding.advice] if finding.advice else []),
    ]
    return '\n   '.join([f'{head} in {finding.where}', *lines])


def _format_splits(splits: Sequence[dict[str, Any]]) -> str:
    rows = []
    for split in splits:
        for part, counts in split['parts'].items():
            # Sizes are known for all images of the split together
            images = split['images'] if counts['images'] else None
            rows.append(
                [
                    split['name'],
                    part,
                    f'{counts["identities"]:,}',
                    f'{counts["images"]:,}' if counts['images'] else '',
                    split['cameras'] or '' if counts['images'] else '',
                    _join_values(images['width']) if images else '',
                    _join_values(images['height']) if images else '',
                ]
            )
    header = ['split', 'part', 'identities', 'images', 'cameras', 'width', 'height']
    return _format_table(header, rows)


def _format_captions(splits: Sequence[dict[str, Any]]) -> str:
    header = ['split', 'captions', 'distinct', 'words', 'max tokens', 'truncated']
    rows = [
        [
            split['name'],
            f'{captions["captions"]:,}',
            f'{captions["distinct"]:,}',
            _join_values(captions['words']),
            captions['tokens'],
            f'{captions["cut"]:,}',
        ]
        for split in splits
        if (captions := split['captions'])
    ]
    return _format_table(header, rows)


def _format_overlaps(overlaps: Sequence[Overlap]) -> str:
    rows = []
    notes = []
    for overlap in overlaps:
        footnote = ''
        if overlap.note:
            notes += [overlap.note] if overlap.note not in notes else []
            footnote = f'({notes.index(overlap.note) + 1})'
        ids = footnote or ('' if overlap.people is None else f'{overlap.people:,}')
        rows.append([overlap.first, overlap.second, f'{overlap.images:,}', ids])
    header = ['split', 'overlaps with', 'images', 'identities']
    table = _format_table(header, rows)
    return '\n'.join([table, *(f'({i}) {n}' for i, n in enumerate(notes, start=1))])


def _join_values(values: Sequence[float]) -> str:
    return ' / '.join(f'{value:g}' for value in values)


def _format_table(header: list[str], rows: list[list[Any]]) -> str:
    if not rows:
        return ''
    table = PrettyTable(header)
    table.align = 'l'
    table.add_rows(rows)
    return table.get_string()

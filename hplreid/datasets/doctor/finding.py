"""The result of a check."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Severity = Literal['error', 'warning']
_MAX_EXAMPLES = 5


@dataclass(frozen=True)
class Finding:
    """The faults of one kind in one folder or split.

    Attributes:
        severity: ``'error'``: training or testing fails, or its scores are invalid.
            ``'warning'``: the data is unusual.
        check: Name of the check.
        where: A folder or a split.
        count: Number of files, identities, queries or captions with the fault.
        message: What is wrong.
        examples: The first few of them.
        advice: What to do.
    """

    severity: Severity
    check: str
    where: str
    count: int
    message: str
    examples: tuple[str, ...] = ()
    advice: str = ''


def make_findings(
    severity: Severity,
    check: str,
    where: str,
    faults: Sequence[object],
    message: str,
    advice: str,
) -> list[Finding]:
    """Return a list with one finding about ``faults``, empty if there are none."""
    if not faults:
        return []
    examples = tuple(str(fault) for fault in faults[:_MAX_EXAMPLES])
    return [Finding(severity, check, where, len(faults), message, examples, advice)]

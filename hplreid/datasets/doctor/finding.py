"""What a check has to say."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Severity = Literal['error', 'warning']
_EXAMPLES = 5


@dataclass(frozen=True)
class Finding:
    """One kind of fault in one place.

    Attributes:
        severity: ``'error'``: a run fails, or its scores mean something else than they
            say. ``'warning'``: it's worth a look.
        check: What was looked for, in two or three words.
        where: A folder or a split.
        count: How many files, identities, queries or captions are at fault.
        message: What is wrong.
        examples: A few of them.
        advice: What to do.
    """

    severity: Severity
    check: str
    where: str
    count: int
    message: str
    examples: tuple[str, ...] = ()
    advice: str = ''


def found(
    severity: Severity,
    check: str,
    where: str,
    faults: Sequence[object],
    message: str,
    advice: str,
) -> list[Finding]:
    """Return a finding about ``faults``, or nothing if there are none."""
    if not faults:
        return []
    examples = tuple(str(fault) for fault in faults[:_EXAMPLES])
    return [Finding(severity, check, where, len(faults), message, examples, advice)]

"""Where an optimizer looks for values: ranges, and lists."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .grid import GridError, parse_axes

_NUMBER = r'[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?'
_RANGE = re.compile(rf'(?P<low>{_NUMBER}):(?P<high>{_NUMBER})(?P<log>:log)?')


@dataclass(frozen=True)
class Range:
    """Numbers between two ends, both of them included.

    Attributes:
        low: The lower end, as on the command line.
        high: The upper one.
        log: Whether factors are looked at, rather than differences.
    """

    low: str
    high: str
    log: bool = False

    @property
    def is_integer(self) -> bool:
        """Whether both ends are written as integers, so that all values are."""
        return all(re.fullmatch(r'[-+]?\d+', end) for end in (self.low, self.high))

    def __contains__(self, text: str) -> bool:
        try:
            value = float(text)
        except ValueError:
            return False
        inside = float(self.low) <= value <= float(self.high)
        return inside and (not self.is_integer or value.is_integer())


Space = Mapping[str, Range | Sequence[str]]
"""For each key a range, or the values to choose from."""


def parse_space(words: Sequence[str]) -> dict[str, Range | list[str]]:
    """Read ``key=low:high``, ``key=low:high:log`` and ``key=v1,v2,...``.

    Raises:
        GridError: A word is malformed, a range is empty, a logarithmic one isn't above
            0, or a key comes twice.

    Example:
        >>> space = parse_space(['model.tau=0.01:0.1:log', 'depth=1:6', 'kind=a,b'])
        >>> space['model.tau'], space['kind']
        (Range(low='0.01', high='0.1', log=True), ['a', 'b'])
        >>> space['depth'].is_integer
        True
    """
    space: dict[str, Range | list[str]] = {}
    for key, values in parse_axes(words).items():
        match = _RANGE.fullmatch(values[0]) if len(values) == 1 else None
        if match is None:
            space[key] = values
            continue
        found = Range(match['low'], match['high'], bool(match['log']))
        if float(found.low) >= float(found.high):
            raise GridError(
                f"'{key}={values[0]}': expected the lower end before the upper one."
            )
        if found.log and float(found.low) <= 0:
            raise GridError(
                f"'{key}={values[0]}': a logarithmic range must be above 0."
            )
        space[key] = found
    return space


def corners(space: Space) -> list[dict[str, str]]:
    """Return combinations that have each end and each value of a list at least once.

    Example:
        >>> corners({'tau': Range('0.1', '0.2'), 'kind': ['a', 'b', 'c']})
        [{'tau': '0.1', 'kind': 'a'}, {'tau': '0.2', 'kind': 'b'}, {'tau': '0.1', ...}]
    """
    lists = {
        key: [own.low, own.high] if isinstance(own, Range) else list(own)
        for key, own in space.items()
    }
    longest = max(map(len, lists.values()))
    return [
        {key: own[number % len(own)] for key, own in lists.items()}
        for number in range(longest)
    ]

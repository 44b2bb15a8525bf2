"""Files that are missing or can't be used, and images that look odd."""

import os
from collections import Counter
from collections.abc import Iterable, Mapping

from ..file_inspection import FAULTS, FileFacts
from ..finding import Finding, found

_TALL = (0.5, 8.0)  # height / width that an image of a person on foot has
_LEAST = 10  # pixels
_ADVICE = 'Copy them anew from the dataset.'


def check_files(facts: Mapping[str, FileFacts]) -> list[Finding]:
    """Find files that can't be used, by kind of fault and folder."""
    groups: dict[tuple[str, str], list[str]] = {}
    for path, fact in sorted(facts.items()):
        if fact.fault is not None:
            folder, name = os.path.split(path)
            groups.setdefault((fact.fault, folder), []).append(name)
    return [
        finding
        for (fault, folder), names in sorted(groups.items())
        for finding in found('error', fault, folder, names, FAULTS[fault], _ADVICE)
    ]


def check_shapes(
    where: str, paths: Iterable[str], facts: Mapping[str, FileFacts]
) -> list[Finding]:
    """Find images of a split that hardly can be crops of people in color."""
    sizes = {path: size for path in paths if (size := facts[path].size)}
    odd = [
        f'{path} ({width} x {height})'
        for path, (width, height) in sizes.items()
        if not _TALL[0] <= height / width <= _TALL[1] or min(width, height) < _LEAST
    ]
    modes = Counter(facts[path].mode for path in sizes)
    colorless = [
        f'{path} ({facts[path].mode})' for path in sizes if facts[path].mode != 'RGB'
    ]
    listed = ', '.join(f'{mode} {count:,}' for mode, count in modes.most_common())
    return found(
        'warning',
        'odd shape',
        where,
        odd,
        f'smaller than {_LEAST} pixels, wider than twice their height, or more than '
        f'{_TALL[1]:g} times as tall as wide',
        'Look whether they show a whole person; all are squeezed into one shape.',
    ) + found(
        'warning',
        'odd colors',
        where,
        colorless,
        f'not stored as RGB ({listed}), and converted when read',
        'Look whether colors come out right: a gray image tells nothing of them.',
    )

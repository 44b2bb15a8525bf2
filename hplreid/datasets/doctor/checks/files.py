"""Checks for unusable files, and for images of unusual shape or color mode."""

import os
from collections import Counter
from collections.abc import Iterable, Mapping

from ..file_inspection import FAULTS, FileFacts
from ..finding import Finding, make_findings

_ASPECT_RATIOS = (0.5, 8.0)  # plausible height / width of a pedestrian crop
_MIN_SIDE = 10  # pixels
_ADVICE = 'Copy them again from the dataset.'


def check_files(facts: Mapping[str, FileFacts]) -> list[Finding]:
    """Find files that can't be used, grouped by fault and folder."""
    groups: dict[tuple[str, str], list[str]] = {}
    for path, fact in sorted(facts.items()):
        if fact.fault is not None:
            folder, name = os.path.split(path)
            groups.setdefault((fact.fault, folder), []).append(name)
    return [
        finding
        for (fault, folder), names in sorted(groups.items())
        for finding in make_findings(
            'error', fault, folder, names, FAULTS[fault], _ADVICE
        )
    ]


def check_shapes(
    where: str, paths: Iterable[str], facts: Mapping[str, FileFacts]
) -> list[Finding]:
    """Find images of a split whose shape or color mode is unusual for a person crop."""
    sizes = {path: size for path in paths if (size := facts[path].size)}
    lowest, highest = _ASPECT_RATIOS
    unusual = [
        f'{path} ({width} x {height})'
        for path, (width, height) in sizes.items()
        if not lowest <= height / width <= highest or min(width, height) < _MIN_SIDE
    ]
    modes = Counter(facts[path].mode for path in sizes)
    not_rgb = [
        f'{path} ({facts[path].mode})' for path in sizes if facts[path].mode != 'RGB'
    ]
    mode_counts = ', '.join(f'{mode} {count:,}' for mode, count in modes.most_common())
    return make_findings(
        'warning',
        'odd shape',
        where,
        unusual,
        f'smaller than {_MIN_SIDE} pixels, wider than twice their height, or more than '
        f'{highest:g} times as tall as wide',
        'Check whether they show a whole person; all images are resized to one shape.',
    ) + make_findings(
        'warning',
        'odd colors',
        where,
        not_rgb,
        f'not stored as RGB ({mode_counts}); converted when read',
        'Check the converted colors: gray images have none.',
    )

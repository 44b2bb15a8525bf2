"""Checks for unusable files, and for images of unusual shape or color mode."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping

from ..file_inspection import FAULTS, FileFacts
from ..finding import Finding, make_findings

_ASPECT_RATIOS = (0.5, 8.0)  # plausible height / width of a pedestrian crop
_MIN_SIDE = 10  # pixels
_ADVICE = dict.fromkeys(FAULTS, 'Copy them again from the dataset.')
_ADVICE['unknown values'] = 'Save them with 8 bits, or 16, a channel.'
_DEEP = re.compile(r'I(;16.?)?')


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
            'error', fault, folder, names, FAULTS[fault], _ADVICE[fault]
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
    return [
        *make_findings(
            'warning',
            'odd shape',
            where,
            unusual,
            f'smaller than {_MIN_SIDE} pixels, wider than twice their height, or more '
            f'than {highest:g} times as tall as wide',
            'Check whether they show a whole person; all images are resized to one '
            'shape.',
        ),
        *_check_colors(where, {path: facts[path] for path in sizes}),
    ]


def _check_colors(where: str, facts: Mapping[str, FileFacts]) -> list[Finding]:
    """Find images that are converted when they are read, and images that are turned."""
    modes = {path: fact.mode or '' for path, fact in facts.items()}
    counts = Counter(modes.values()).most_common()
    mode_counts = ', '.join(f'{mode} {count:,}' for mode, count in counts)
    deep = {path for path, mode in modes.items() if _DEEP.fullmatch(mode)}
    not_rgb = {path for path, mode in modes.items() if mode != 'RGB'} - deep
    turned = {path: fact.orientation for path, fact in facts.items()}
    findings = []
    for check, faults, message, advice in (
        (
            'odd colors',
            [f'{path} ({modes[path]})' for path in modes if path in not_rgb],
            f'not stored as RGB ({mode_counts}); converted when read',
            'Check the converted colors: gray images have none.',
        ),
        (
            '16 bits',
            [f'{path} ({modes[path]})' for path in modes if path in deep],
            'gray of 16 bits, of which the upper 8 are kept when read',
            'They are dark if they use fewer bits: scale them, and save 8 bits.',
        ),
        (
            'turned by EXIF',
            [f'{path} (orientation {n})' for path, n in turned.items() if n != 1],
            'stored on their side or mirrored, with a note that says so; they are '
            'turned when read',
            'If they are wrong here and right elsewhere, remove the note.',
        ),
        (
            'transparent',
            [path for path, fact in facts.items() if fact.is_transparent],
            'partly transparent; laid on white when read',
            'Check that white is the background you want.',
        ),
    ):
        findings += make_findings('warning', check, where, faults, message, advice)
    return findings

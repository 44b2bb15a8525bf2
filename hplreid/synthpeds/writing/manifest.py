"""The record of a finished dataset, and the check against it."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..difficulty import PRESETS, Difficulty
from ..sizes import ROLES, SIZES, SPAN
from .layouts import CUHK, MARKET, Shot

VERSION = 1
MANIFEST = 'manifest.json'


def resolve(difficulty: Difficulty | str) -> Difficulty:
    """A difficulty, given itself or the name of a preset."""
    if isinstance(difficulty, Difficulty):
        return difficulty
    if difficulty not in PRESETS:
        raise ValueError(
            f'unknown difficulty {difficulty!r}; choose from {sorted(PRESETS)}'
        )
    return PRESETS[difficulty]


def check_size(size: str) -> None:
    """Reject names that are no size."""
    if size not in SIZES:
        raise ValueError(f'unknown size {size!r}; choose from {sorted(SIZES)}')


def settings(size: str, seed: int, difficulty: Difficulty | str) -> dict[str, Any]:
    """What decides every byte of a dataset."""
    return {
        'generator': 'SynthPeds',
        'version': VERSION,
        'size': size,
        'seed': seed,
        'difficulty': asdict(resolve(difficulty)),
    }


def describe(
    shots: list[Shot], size: str, seed: int, difficulty: Difficulty
) -> dict[str, Any]:
    """The manifest of a dataset made of the given shots."""
    counts: dict[str, int] = {}
    for shot in shots:
        for path in shot.paths:
            top, folder = path.split('/')[:2]
            counts[f'{top}/{folder}'] = counts.get(f'{top}/{folder}', 0) + 1
    identities: dict[str, list[int]] = {}
    for role, first in ROLES.items():
        numbers = {s.number for s in shots if first <= s.number < first + SPAN}
        if numbers:
            identities[role] = [min(numbers), max(numbers)]
    return {
        **settings(size, seed, difficulty),
        'pictures': len(shots),  # on-disk key, unchanged since version 1
        'files': counts,
        'identities': identities,
    }


def read_manifest(out: Path) -> dict[str, Any] | None:
    """The manifest in a folder, None where there is none."""
    path = Path(out) / MANIFEST
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_text())
    except json.JSONDecodeError:
        return None
    return found if found.get('generator') == 'SynthPeds' else None


def synthpeds_problems(
    out: str | Path,
    size: str = 'default',
    seed: int = 0,
    difficulty: Difficulty | str = 'default',
) -> list[str]:
    """Why a folder is not the complete dataset asked for; empty if it is.

    Args:
        out: Folder of the dataset.
        size: Name of a size.
        seed: Seed.
        difficulty: Dials or the name of a preset.
    """
    check_size(size)
    out = Path(out)
    if not out.is_dir():
        return [f'{out} does not exist']
    found = read_manifest(out)
    if found is None:
        return [f'{out} has no {MANIFEST} of SynthPeds']
    problems = [
        f'{key} is {found.get(key)!r}, asked for {value!r}'
        for key, value in settings(size, seed, difficulty).items()
        if found.get(key) != value
    ]
    for folder, count in found.get('files', {}).items():
        there = sum(1 for path in (out / folder).rglob('*.jpg'))
        if there != count:
            problems.append(f'{folder} holds {there} images instead of {count}')
    json_file = out / CUHK / 'reid_raw.json'
    if not json_file.is_file():
        problems.append(f'{json_file.relative_to(out)} is missing')
    return problems


FOLDERS = (
    f'{MARKET}/bounding_box_train',
    f'{MARKET}/bounding_box_test',
    f'{MARKET}/query',
)

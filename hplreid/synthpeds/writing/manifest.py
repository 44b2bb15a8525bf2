"""The manifest of a finished dataset, and the check of a folder against it."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..difficulty import PRESETS, Difficulty
from ..sizes import FIRST_IDENTITY, ROLE_SPAN, SIZES
from .layouts import CUHK, Shot

VERSION = 1
MANIFEST = 'manifest.json'


def resolve_difficulty(difficulty: Difficulty | str) -> Difficulty:
    """Return a difficulty, given itself or the name of a preset."""
    if isinstance(difficulty, Difficulty):
        return difficulty
    if difficulty not in PRESETS:
        raise ValueError(
            f'unknown difficulty {difficulty!r}; choose from {sorted(PRESETS)}'
        )
    return PRESETS[difficulty]


def check_size(size: str) -> None:
    """Raise a ValueError unless ``size`` is the name of a size."""
    if size not in SIZES:
        raise ValueError(f'unknown size {size!r}; choose from {sorted(SIZES)}')


def dataset_settings(
    size: str, seed: int, difficulty: Difficulty | str
) -> dict[str, Any]:
    """Return the settings that determine every byte of a dataset."""
    return {
        'generator': 'SynthPeds',
        'version': VERSION,
        'size': size,
        'seed': seed,
        'difficulty': asdict(resolve_difficulty(difficulty)),
    }


def make_manifest(
    shots: list[Shot], size: str, seed: int, difficulty: Difficulty
) -> dict[str, Any]:
    """Return the manifest of a dataset made of the given shots."""
    counts: dict[str, int] = {}
    for shot in shots:
        for path in shot.paths:
            top, folder = path.split('/')[:2]
            counts[f'{top}/{folder}'] = counts.get(f'{top}/{folder}', 0) + 1
    identities: dict[str, list[int]] = {}
    for role, first in FIRST_IDENTITY.items():
        numbers = {
            s.identity_number
            for s in shots
            if first <= s.identity_number < first + ROLE_SPAN
        }
        if numbers:
            identities[role] = [min(numbers), max(numbers)]
    return {
        **dataset_settings(size, seed, difficulty),
        'pictures': len(shots),  # on-disk key, unchanged since version 1
        'files': counts,
        'identities': identities,
    }


def read_manifest(out: Path) -> dict[str, Any] | None:
    """Return the manifest in a folder, or None if it has none of SynthPeds."""
    path = Path(out) / MANIFEST
    if not path.is_file():
        return None
    try:
        manifest: dict[str, Any] = json.loads(path.read_text())
    except json.JSONDecodeError:
        return None
    return manifest if manifest.get('generator') == 'SynthPeds' else None


def synthpeds_problems(
    out: str | Path,
    size: str = 'default',
    seed: int = 0,
    difficulty: Difficulty | str = 'default',
) -> list[str]:
    """List why a folder is not the complete dataset asked for; empty if it is.

    Args:
        out: Folder of the dataset.
        size: Name of a size.
        seed: Seed of the dataset.
        difficulty: Difficulty settings or the name of a preset.

    Example:
        >>> from hplreid.synthpeds import synthpeds_problems
        >>> synthpeds_problems('data/synthpeds', 'tiny')
        ['data/synthpeds does not exist']
    """
    check_size(size)
    out = Path(out)
    if not out.is_dir():
        return [f'{out} does not exist']
    manifest = read_manifest(out)
    if manifest is None:
        return [f'{out} has no {MANIFEST} of SynthPeds']
    problems = [
        f'{key} is {manifest.get(key)!r}, asked for {value!r}'
        for key, value in dataset_settings(size, seed, difficulty).items()
        if manifest.get(key) != value
    ]
    for folder, count in manifest.get('files', {}).items():
        count_on_disk = sum(1 for path in (out / folder).rglob('*.jpg'))
        if count_on_disk != count:
            problems.append(f'{folder} holds {count_on_disk} images instead of {count}')
    json_file = out / CUHK / 'reid_raw.json'
    if not json_file.is_file():
        problems.append(f'{json_file.relative_to(out)} is missing')
    return problems

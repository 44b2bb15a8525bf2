"""Writing of a whole dataset to disk."""

import json
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ..difficulty import Difficulty
from ..sizes import SIZES
from .layouts import CUHK, Shot, plan_shots
from .manifest import (
    MANIFEST,
    check_size,
    make_manifest,
    read_manifest,
    resolve_difficulty,
    synthpeds_problems,
)
from .overview_sheet import write_overview
from .render_workers import render_shots


def _tokens(caption: str) -> list[str]:
    """Return the lower-case words and numbers of a caption."""
    return re.findall(r'[a-z0-9]+', caption.lower())


def _annotation(shot: Shot, captions: list[str]) -> dict[str, Any]:
    path = next(path for path in shot.paths if path.startswith(f'{CUHK}/imgs/'))
    return {
        'split': shot.split,
        'captions': captions,
        'file_path': path.removeprefix(f'{CUHK}/imgs/'),
        'processed_tokens': [_tokens(caption) for caption in captions],
        'id': shot.text_pid,
    }


def _check_target(out: Path, problems: list[str], overwrite: bool) -> None:
    """Raise a FileExistsError if a folder holds anything that must not be lost."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not out.is_dir() or read_manifest(out) is None:
        raise FileExistsError(
            f'{out} exists and was not made by SynthPeds, so it is not replaced. '
            'Choose another folder, or remove it yourself.'
        )
    if not overwrite:
        problem_lines = '\n  '.join(problems)
        raise FileExistsError(
            f'{out} holds another or a damaged dataset:\n  {problem_lines}\n'
            'Choose another folder, or replace it with --overwrite (overwrite=True).'
        )


def _write(
    root: Path,
    size: str,
    seed: int,
    difficulty: Difficulty,
    workers: int,
    progress: bool,
) -> dict[str, Any]:
    """Fill an empty folder, manifest last, and return the manifest."""
    shots = plan_shots(SIZES[size], seed)
    for folder in {str(Path(path).parent) for shot in shots for path in shot.paths}:
        (root / folder).mkdir(parents=True, exist_ok=True)
    shape = SIZES[size].shape
    captions_of_shots = render_shots(shots, root, seed, difficulty, shape, workers)
    annotations = []
    bar = tqdm(
        captions_of_shots,
        total=len(shots),
        unit='img',
        desc=f'SynthPeds {size}',
        disable=not progress,
        mininterval=1.0,
    )
    for shot, captions in zip(shots, bar, strict=True):
        if shot.split:
            annotations.append(_annotation(shot, captions))
    (root / CUHK / 'reid_raw.json').write_text(json.dumps(annotations, indent=1))
    num_identities = 3 if size == 'tiny' else 6
    write_overview(root / 'overview.png', seed, difficulty, num_identities)
    manifest = make_manifest(shots, size, seed, difficulty)
    (root / MANIFEST).write_text(json.dumps(manifest, indent=2) + '\n')
    return manifest


def make_synthpeds(
    out: str | Path,
    size: str = 'default',
    seed: int = 0,
    workers: int | None = None,
    overwrite: bool = False,
    progress: bool = True,
    difficulty: Difficulty | str = 'default',
) -> dict[str, Any]:
    """Make a dataset, unless ``out`` already holds it.

    The images are written beside ``out`` and moved there at the end, so that a folder
    with a manifest is complete.

    Args:
        out: Folder of the dataset.
        size: ``tiny``, ``default``, ``large`` or ``pretrain``.
        seed: Seed that determines every image and caption, at least 0.
        workers: Number of processes. Defaults to the number of cores.
        overwrite: Whether to replace a dataset made with other settings.
        progress: Whether to show a progress bar.
        difficulty: Difficulty settings or the name of a preset.

    Returns:
        The manifest.

    Raises:
        FileExistsError: If ``out`` holds something else.
        ValueError: If an argument is out of range.

    Example:
        >>> from hplreid.synthpeds import make_synthpeds
        >>> make_synthpeds('data/tiny', 'tiny', progress=False)  # doctest: +SKIP
        >>> make_synthpeds('data/huge', 'huge')
        Traceback (most recent call last):
        ValueError: unknown size 'huge'; choose from ['default', 'large', ...]
    """
    check_size(size)
    resolved = resolve_difficulty(difficulty)
    workers = os.cpu_count() or 1 if workers is None else workers
    if workers < 1:
        raise ValueError(f'workers must be at least 1, got {workers}')
    if seed < 0:
        raise ValueError(f'seed must be at least 0, got {seed}')
    out = Path(out).absolute()
    problems = synthpeds_problems(out, size, seed, resolved)
    if not problems:
        return read_manifest(out) or {}
    _check_target(out, problems, overwrite)
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(
        tempfile.mkdtemp(prefix=f'.{out.name}.', suffix='.partial', dir=out.parent)
    )
    try:
        manifest = _write(partial, size, seed, resolved, workers, progress)
        if out.exists() and synthpeds_problems(out, size, seed, resolved):
            shutil.rmtree(out)
        if not out.exists():  # else another process was faster, with the same result
            partial.chmod(0o755)
            partial.rename(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return manifest

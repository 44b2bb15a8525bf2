"""Writing of a whole dataset to disk."""

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

from ..difficulty import Difficulty
from ..sizes import SIZES
from .disk_space import check_free_space, clear_if_full
from .layouts import CUHK, Shot, plan_shots
from .manifest import (
    MANIFEST,
    check_size,
    dataset_settings,
    make_manifest,
    read_manifest,
    resolve_difficulty,
    synthpeds_problems,
)
from .overview_sheet import write_overview
from .progress import Progress, announcement
from .render_workers import RenderJob, plan_jobs, render_jobs
from .unfinished import Unfinished


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


def _render(jobs: list[RenderJob], name: str, workers: int, quiet: bool) -> None:
    """Render what is missing of a dataset."""
    work, shape = jobs[0].work, jobs[0].shape
    missing = [job for job in jobs if work.finished(job.first, job.shots) is None]
    total = sum(len(job.shots) for job in jobs)
    shots = [shot for job in missing for shot in job.shots]
    done = total - len(shots)
    if shots:
        check_free_space(work.out.parent, shots)
    if shots and not quiet:
        print(announcement(name, done, total, shape, work.out, workers), flush=True)
    with (
        clear_if_full(work.out.parent, shots),
        Progress(name, done, total, quiet) as progress,
    ):
        for count in render_jobs(missing, workers):
            progress.advance(count)


def _write(
    work: Unfinished,
    size: str,
    seed: int,
    difficulty: Difficulty,
    workers: int,
    progress: bool,
) -> dict[str, Any]:
    """Fill the folder of a dataset, manifest last, and return the manifest."""
    shots = plan_shots(SIZES[size], seed)
    with clear_if_full(work.out.parent, shots):
        work.prepare(shots)
    jobs = plan_jobs(shots, work, seed, difficulty, SIZES[size].shape)
    _render(jobs, f'SynthPeds {size}', workers, not progress)
    annotations = []
    for job in jobs:
        captions_of_shots = work.finished(job.first, job.shots) or []
        for shot, captions in zip(job.shots, captions_of_shots, strict=True):
            if shot.split:
                annotations.append(_annotation(shot, captions))
    with clear_if_full(work.out.parent, []):
        (work.root / CUHK / 'reid_raw.json').write_text(
            json.dumps(annotations, indent=1)
        )
        num_identities = 3 if size == 'tiny' else 6
        write_overview(work.root / 'overview.png', seed, difficulty, num_identities)
        manifest = make_manifest(shots, size, seed, difficulty)
        (work.root / MANIFEST).write_text(json.dumps(manifest, indent=2) + '\n')
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
    with a manifest is complete. A start after an interrupted one, even a killed one,
    goes on where that one ended, with the same result.

    Args:
        out: Folder of the dataset.
        size: ``tiny``, ``default``, ``large`` or ``pretrain``.
        seed: Seed that determines every image and caption, at least 0.
        workers: Number of processes. Defaults to the number of cores.
        overwrite: Whether to replace a dataset made with other settings.
        progress: Whether to say what is rendered and show a bar; in a log, a line now
            and then.
        difficulty: Difficulty settings or the name of a preset.

    Returns:
        The manifest.

    Raises:
        DiskFullError: If the images need more space than the disk has; what is
            rendered is kept.
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
    work = Unfinished.beside(out, dataset_settings(size, seed, resolved))
    try:
        manifest = _write(work, size, seed, resolved, workers, progress)
        if out.exists() and synthpeds_problems(out, size, seed, resolved):
            shutil.rmtree(out)
        work.root.rename(out)
    except OSError:
        # Another process may have been faster, with the same result.
        if synthpeds_problems(out, size, seed, resolved):
            raise
        manifest = read_manifest(out) or {}
    shutil.rmtree(work.folder, ignore_errors=True)
    return manifest

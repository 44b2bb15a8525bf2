"""Rendering on several processes."""

import io
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image

from ..captions.caption import make_caption
from ..difficulty import Difficulty
from ..person_image import make_image
from .layouts import Shot

CAPTIONS = 2
# Shots handed to a worker at a time: few enough to share the end of the work.
_CHUNK = 10


@dataclass(frozen=True)
class Job:
    """A few shots and all that is needed to take them."""

    shots: tuple[Shot, ...]
    root: str
    seed: int
    difficulty: Difficulty
    shape: tuple[int, int]


@contextmanager
def _one_thread() -> Iterator[None]:
    """One process, one thread, numbers too small to matter taken as zero."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    try:
        with torch.inference_mode():
            yield
    finally:
        torch.set_flush_denormal(False)
        torch.set_num_threads(threads)


def _take(shot: Shot, job: Job) -> list[str]:
    """Render and store one shot; returns its captions."""
    image = make_image(
        job.seed, shot.number, shot.index, job.difficulty, job.shape, shot.junk
    )
    buffer = io.BytesIO()
    Image.fromarray(image.pixels).save(buffer, 'JPEG', quality=image.quality)
    for path in shot.paths:
        (Path(job.root) / path).write_bytes(buffer.getvalue())
    if not shot.split:
        return []
    return [
        make_caption(image, job.seed, shot.index, k, job.difficulty).text
        for k in range(CAPTIONS)
    ]


def _run(job: Job) -> list[list[str]]:
    with _one_thread():
        return [_take(shot, job) for shot in job.shots]


def take_all(
    shots: list[Shot],
    root: Path,
    seed: int,
    difficulty: Difficulty,
    shape: tuple[int, int],
    workers: int,
) -> Iterator[list[str]]:
    """Take every shot; yields the captions of each, in the order of the shots.

    Args:
        shots: What to render. Their folders must exist.
        root: Folder that the paths of the shots start from.
        seed: Seed of the dataset.
        difficulty: The dials.
        shape: Height and width of an image, pixels.
        workers: Number of processes; 1 renders in this one.
    """
    jobs = [
        Job(tuple(shots[i : i + _CHUNK]), str(root), seed, difficulty, shape)
        for i in range(0, len(shots), _CHUNK)
    ]
    if workers == 1:
        for job in jobs:
            yield from _run(job)
        return
    # Spawned, not forked: forking a process that has used torch's threads may hang.
    with multiprocessing.get_context('spawn').Pool(workers) as pool:
        for captions in pool.imap(_run, jobs):
            yield from captions

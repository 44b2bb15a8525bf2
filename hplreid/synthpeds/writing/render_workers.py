"""Rendering of planned images by several workers."""

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

CAPTIONS_PER_IMAGE = 2
# Shots per job: few enough to keep all workers busy until the end.
_CHUNK = 10


@dataclass(frozen=True)
class RenderJob:
    """A few shots and the settings to render them."""

    shots: tuple[Shot, ...]
    root: str
    seed: int
    difficulty: Difficulty
    shape: tuple[int, int]


@contextmanager
def _one_thread() -> Iterator[None]:
    """Run torch in inference mode on one thread, with denormals flushed to zero."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    try:
        with torch.inference_mode():
            yield
    finally:
        torch.set_flush_denormal(False)
        torch.set_num_threads(threads)


def _render_shot(shot: Shot, job: RenderJob) -> list[str]:
    """Render and store one shot, and return its captions."""
    image = make_image(
        job.seed,
        shot.identity_number,
        shot.image_index,
        job.difficulty,
        job.shape,
        shot.junk,
    )
    buffer = io.BytesIO()
    Image.fromarray(image.pixels).save(buffer, 'JPEG', quality=image.quality)
    for path in shot.paths:
        (Path(job.root) / path).write_bytes(buffer.getvalue())
    if not shot.split:
        return []
    return [
        make_caption(image, job.seed, shot.image_index, k, job.difficulty).text
        for k in range(CAPTIONS_PER_IMAGE)
    ]


def _render_job(job: RenderJob) -> list[list[str]]:
    with _one_thread():
        return [_render_shot(shot, job) for shot in job.shots]


def render_shots(
    shots: list[Shot],
    root: Path,
    seed: int,
    difficulty: Difficulty,
    shape: tuple[int, int],
    workers: int,
) -> Iterator[list[str]]:
    """Render every shot and yield its captions, in the order of the shots.

    Args:
        shots: Images to render; their folders must exist.
        root: Folder that the paths of the shots are relative to.
        seed: Seed of the dataset.
        difficulty: Difficulty settings.
        shape: Height and width of an image, pixels.
        workers: Number of processes; 1 renders in the current one.
    """
    jobs = [
        RenderJob(tuple(shots[i : i + _CHUNK]), str(root), seed, difficulty, shape)
        for i in range(0, len(shots), _CHUNK)
    ]
    if workers == 1:
        for job in jobs:
            yield from _render_job(job)
        return
    # Spawned, since forking a process that has used torch's threads may hang.
    with multiprocessing.get_context('spawn').Pool(workers) as pool:
        for captions in pool.imap(_render_job, jobs):
            yield from captions

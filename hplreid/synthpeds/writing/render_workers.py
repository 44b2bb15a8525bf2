"""Rendering of planned images by several workers."""

import io
import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from PIL import Image

from ..captions.caption import make_caption
from ..difficulty import Difficulty
from ..person_image import ImageRequest, PersonImage, make_images
from .layouts import Shot
from .unfinished import CHUNK, Unfinished, write_whole

CAPTIONS_PER_IMAGE = 2
_THREADS = ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS')


@dataclass(frozen=True)
class RenderJob:
    """A chunk of shots and the settings to render them.

    Args:
        first: Position of the first shot among all.
        shots: The shots.
        work: Where they are written.
        seed: Seed of the dataset.
        difficulty: Difficulty settings.
        shape: Height and width of an image, pixels.
    """

    first: int
    shots: tuple[Shot, ...]
    work: Unfinished
    seed: int
    difficulty: Difficulty
    shape: tuple[int, int]


@contextmanager
def one_thread() -> Iterator[None]:
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


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Let processes that are started now use one thread each.

    Each keeps one core busy; more threads would only wait for one another.
    """
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, '1'))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _store(image: PersonImage, shot: Shot, job: RenderJob) -> list[str]:
    """Store an image, and return its captions."""
    buffer = io.BytesIO()
    Image.fromarray(image.pixels).save(buffer, 'JPEG', quality=image.quality)
    for path in shot.paths:
        write_whole(job.work.root / path, buffer.getvalue(), job.work.scratch)
    if not shot.split:
        return []
    return [
        make_caption(image, job.seed, shot.image_index, k, job.difficulty).text
        for k in range(CAPTIONS_PER_IMAGE)
    ]


def _render_job(job: RenderJob) -> int:
    """Render and store a chunk, and return its number of images."""
    requests = [
        ImageRequest(shot.identity_number, shot.image_index, shot.junk)
        for shot in job.shots
    ]
    with one_thread():
        images = make_images(job.seed, requests, job.difficulty, job.shape)
        captions = [
            _store(image, shot, job)
            for image, shot in zip(images, job.shots, strict=True)
        ]
    job.work.save_captions(job.first, captions)
    return len(images)


def plan_jobs(
    shots: list[Shot],
    work: Unfinished,
    seed: int,
    difficulty: Difficulty,
    shape: tuple[int, int],
) -> list[RenderJob]:
    """Divide the shots of a dataset into jobs.

    Args:
        shots: All images of the dataset.
        work: Where they are written.
        seed: Seed of the dataset.
        difficulty: Difficulty settings.
        shape: Height and width of an image, pixels.
    """
    return [
        RenderJob(i, tuple(shots[i : i + CHUNK]), work, seed, difficulty, shape)
        for i in range(0, len(shots), CHUNK)
    ]


def render_jobs(jobs: list[RenderJob], workers: int) -> Iterator[int]:
    """Render jobs in any order and yield the number of images of each.

    Args:
        jobs: The jobs; their folders must exist.
        workers: Number of processes; 1 renders in the current one.
    """
    workers = min(workers, len(jobs))
    if workers <= 1:
        yield from map(_render_job, jobs)
        return
    with _one_thread_each():
        # Spawned, since forking a process that has used torch's threads may hang.
        pool = multiprocessing.get_context('spawn').Pool(workers)
    with pool:
        yield from pool.imap_unordered(_render_job, jobs)

"""What a rendering tells its user: one line before it, then a bar or a few lines."""

import sys
import time
from collections.abc import Callable
from types import TracebackType

from tqdm import tqdm

# Images of 128 x 64 that one process renders in a second, on a core without AVX-512;
# see docs/synthpeds.md.
RATE = 15.0
# Seconds between lines in a log: a rendering of three minutes takes at most three.
LOG_INTERVAL = 90.0


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f'{max(1, round(seconds))} s'
    return f'{round(seconds / 60)} min'


def announcement(
    name: str, done: int, total: int, shape: tuple[int, int], out: object, workers: int
) -> str:
    """Return one line that says what is about to be rendered, and about how long.

    Args:
        name: Name of the dataset.
        done: Number of images that an earlier start finished.
        total: Number of images.
        shape: Height and width of an image, pixels.
        out: Folder of the dataset.
        workers: Number of processes.

    Example:
        >>> from hplreid.synthpeds.writing.progress import announcement
        >>> announcement('tiny', 0, 96, (64, 32), 'data', workers=1)
        'tiny: rendering 96 images of 64 x 32 into data, about 3 s with 1 process'
    """
    # Small images cost more for a pixel.
    work = (shape[0] * shape[1] / 8192) ** 0.5
    left = _duration((total - done) * work / (RATE * workers))
    kept = f' ({done:,} of {total:,} are there)' if done else ''
    processes = '1 process' if workers == 1 else f'{workers} processes'
    return (
        f'{name}: rendering {total - done:,} images of {shape[0]} x {shape[1]} '
        f'into {out}, about {left} with {processes}{kept}'
    )


class Progress:
    """A bar with rate and ETA on a terminal, a line now and then in a log.

    Args:
        name: Name of the dataset.
        done: Number of images that are there already.
        total: Number of images.
        quiet: Whether to show nothing.
        clock: Returns seconds.
    """

    def __init__(
        self,
        name: str,
        done: int,
        total: int,
        quiet: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name, self._total, self._quiet, self._clock = name, total, quiet, clock
        self._done = self._first = done
        self._start = self._last = clock()
        self._bar: tqdm | None = None
        if not quiet and sys.stdout.isatty():
            self._bar = tqdm(
                desc=name, initial=done, total=total, unit='img', mininterval=0.5,
                file=sys.stdout, dynamic_ncols=True,
            )  # fmt: skip

    def __enter__(self) -> 'Progress':
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()
        elif kind is None and not self._quiet and self._total > self._first:
            seconds = self._clock() - self._start
            count = self._total - self._first
            print(
                f'{self._name}: {count:,} images in {_duration(seconds)}, '
                f'{count / max(seconds, 1e-3):.0f} img/s',
                flush=True,
            )

    def advance(self, count: int) -> None:
        """Count images as finished."""
        self._done += count
        if self._bar is not None:
            self._bar.update(count)
            return
        now = self._clock()
        if self._quiet or now - self._last < LOG_INTERVAL or self._done >= self._total:
            return
        self._last = now
        rate = (self._done - self._first) / max(now - self._start, 1e-3)
        left = (self._total - self._done) / max(rate, 1e-3)
        print(
            f'{self._name}: {self._done:,} of {self._total:,} images, '
            f'{rate:.0f} img/s, {_duration(left)} left',
            flush=True,
        )

"""Frames of a video, one every so many seconds."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hplreid.datasets.errors import MissingDataError

from ..errors import VideoError


class Frame(NamedTuple):
    """A frame of a video.

    Attributes:
        number: Its number, from 0.
        time: Seconds since the start of the video.
        pixels: uint8 ``(H, W, 3)``, RGB.
    """

    number: int
    time: float
    pixels: np.ndarray


def count_frames(path: str | Path) -> int:
    """Return the number of frames that a video says it has; 0 if it doesn't say.

    Raises:
        MissingDataError: It doesn't exist.
        VideoError: It can't be read.

    Example:
        >>> _ = Path('notes.txt').write_text('no video')
        >>> count_frames('notes.txt')
        Traceback (most recent call last):
        ...
        hplreid...VideoError: 'notes.txt' is no video that OpenCV can read: convert ...
    """
    cv2: Any
    with _open(path) as (cv2, video):
        return max(0, int(video.get(cv2.CAP_PROP_FRAME_COUNT)))


def read_frames(
    path: str | Path,
    every: float,
    after: int = -1,
    tell: Callable[[int], object] = lambda count: None,
) -> Iterator[Frame]:
    """Yield the first frame at or after each multiple of ``every`` seconds.

    Args:
        path: The video.
        every: Seconds between frames, above 0; less than the video's own gives all.
        after: Number of the last frame that isn't needed. Frames up to it are passed
            without decoding; which ones come doesn't depend on it.
        tell: Called with 1 for each frame that is passed or given.

    Raises:
        MissingDataError: The video doesn't exist.
        VideoError: It can't be read.
    """
    cv2: Any
    with _open(path) as (cv2, video):
        rate = video.get(cv2.CAP_PROP_FPS) or 25.0
        number, step = -1, -1
        while video.grab():
            number += 1
            tell(1)
            # The container's clock, of the frame just grabbed; some have none
            time = video.get(cv2.CAP_PROP_POS_MSEC) / 1000 or number / rate
            due = int(time / every + 1e-6)
            if due == step:
                continue
            step = due
            if number <= after:
                continue
            good, pixels = video.retrieve()
            if good:
                yield Frame(number, time, cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB))


@contextmanager
def _open(path: str | Path) -> Iterator[tuple[Any, Any]]:
    import cv2  # noqa: PLC0415, it takes half a second that searches don't need

    if not Path(path).is_file():
        raise MissingDataError(f"Video '{path}' does not exist.")
    level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    video = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        if not video.isOpened():
            raise VideoError(
                f"'{path}' is no video that OpenCV can read: convert it to MP4, say."
            )
        yield cv2, video
    finally:
        video.release()
        cv2.utils.logging.setLogLevel(level)

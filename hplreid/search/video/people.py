"""Cutting people out of videos: an image and an item for each."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image
from tqdm import tqdm

from hplreid.utils.atomic_files import atomic_path, remove_leftovers

from ..errors import VideoError
from ..items import Item
from .detector import Detection
from .frames import Frame, count_frames, read_frames
from .record import Record

_QUALITY = 95  # of JPEG: the images are what is encoded


class Detector(Protocol):
    """What finds people; :class:`.PersonDetector` does.

    Attributes:
        settings: What decides which people it finds, in values that JSON can hold.
    """

    settings: dict[str, Any]

    def detect(self, pixels: np.ndarray) -> list[Detection]:
        """Find people in a frame, uint8 ``(H, W, 3)``, RGB."""
        ...


def cut_people(
    videos: Sequence[str | Path],
    root: str | Path,
    detector: Detector,
    every: float = 1.0,
    start: float = 0.0,
    camera: str | None = None,
    progress: bool = True,
) -> tuple[list[Item], list[str]]:
    """Cut people out of videos, and write their images.

    The images of ``walk.mp4`` are ``walk/<frame>_<number>.jpg`` in ``root``, beside
    ``walk/people.jsonl``. What is there is not done again, also after a kill.

    Args:
        videos: The files; their names without ending differ.
        root: Folder for the images.
        detector: What finds people.
        every: Seconds between the frames that are looked at.
        start: Time of the first frame, seconds since 1970; 0 if it isn't known.
        camera: Camera of all. Defaults to the name of each video without its ending.
        progress: Whether bars are shown.

    Returns:
        An item for each person in each frame: ``time`` is that of the frame, ``source``
        the video, ``meta`` has ``frame``, ``box`` (left, top, width and height in the
        frame, pixels) and ``confidence``. And what is to be said of the videos.

    Raises:
        MissingDataError: A video doesn't exist.
        VideoError: A video can't be read, two have one name, ``every`` isn't above 0,
            or images there are of other settings.

    Example:
        >>> cut_people(['gone.mp4'], 'crops', None)
        Traceback (most recent call last):
        ...
        hplreid...MissingDataError: Video 'gone.mp4' does not exist.
    """
    if not every > 0:
        raise VideoError(f'every={every}: expected seconds, above 0.')
    paths = [Path(video) for video in videos]
    stems = [path.stem for path in paths]
    if twice := next((s for s in stems if stems.count(s) > 1), None):
        raise VideoError(
            f"Two videos are named '{twice}', as the folder of their images would be: "
            'index them one after the other, with a --root each.'
        )
    counts = [count_frames(path) for path in paths]  # all, before work begins
    items: list[Item] = []
    said = []
    for path, count in zip(paths, counts, strict=True):
        record = _cut(path, Path(root) / path.stem, detector, every, count, progress)
        end = record.lines[-1]['end']
        if end < 0.98 * count:  # containers count a frame or two too many
            said.append(
                f"'{path}' can be read up to frame {end:,} of {count:,}: it is "
                'damaged, or cut off.'
            )
        found = _list(record, path, start, camera or path.stem)
        said.append(f'{path}: {len(found)} people in {len(record.lines) - 1} frames')
        items += found
    return items, said


def _cut(
    path: Path,
    folder: Path,
    detector: Detector,
    every: float,
    count: int,
    progress: bool,
) -> Record:
    """Cut people out of one video, after the last frame that the record has."""
    size = path.stat().st_size
    settings = dict(video=path.name, bytes=size, every=every, **detector.settings)
    record = Record(folder, settings)
    if record.done:
        return record
    remove_leftovers(folder)
    last, seen = record.lines[-1]['frame'] if record.lines else -1, 0
    with tqdm(
        total=count or None, desc=path.name, unit='frame', disable=not progress
    ) as bar:

        def tell(frames: int) -> None:
            nonlocal seen
            seen += frames
            bar.update(frames)

        for frame in read_frames(path, every, last, tell):
            people = [
                _write(frame, number, found, folder)
                for number, found in enumerate(detector.detect(frame.pixels))
            ]
            time = round(frame.time, 3)
            record.add(dict(frame=frame.number, time=time, people=people))
    record.add(dict(end=seen))
    return record


def _write(frame: Frame, number: int, found: Detection, folder: Path) -> dict[str, Any]:
    """Write the image of a person, and return what the record keeps of them."""
    left, top, width, height = found.box
    name = f'{frame.number:08d}_{number}.jpg'
    with atomic_path(folder / name) as temporary:
        image = Image.fromarray(frame.pixels[top : top + height, left : left + width])
        image.save(temporary, 'JPEG', quality=_QUALITY)
    confidence = round(found.confidence, 4)
    return dict(name=name, box=list(found.box), confidence=confidence)


def _list(record: Record, path: Path, start: float, camera: str) -> list[Item]:
    return [
        Item(
            f'{path.stem}/{person["name"]}',
            f'{path.stem}/{person["name"]}',
            camera=camera,
            time=start + line['time'],
            source=path.name,
            meta=dict(
                frame=line['frame'],
                box=person['box'],
                confidence=person['confidence'],
            ),
        )
        for line in record.lines[:-1]
        for person in line['people']
    ]

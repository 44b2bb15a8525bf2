"""Building a cache of resized images, and verifying it against the image files."""

import os
import zlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from .cache_index import CacheError, CacheIndex, CacheKey, Entry, resampling_sum
from .image_cache import ImageCache, RelativePaths
from .image_files import decode_image, read_file
from .resampling import to_tensor
from .unfinished_cache import Journal, UnfinishedCache

_CHUNK = 256
"""Images that are in memory at a time."""


class Built(NamedTuple):
    """Counts of what building a cache did.

    Attributes:
        images: Images it holds.
        made: How many of them were decoded and resized; the others it had already.
        size: Bytes.
    """

    images: int
    made: int
    size: int


def build_cache(
    folder: str | Path,
    key: CacheKey,
    paths: Iterable[str],
    workers: int = 1,
    overwrite: bool = False,
    progress: bool = True,
) -> Built:
    """Put images into a cache, resized by Pillow, or find them there.

    What a cache of this key holds already is kept if its file is unchanged, and dropped
    if its file is gone. It is written under a temporary name; readers of the former one
    are not disturbed. What a killed build has finished isn't made again.

    Args:
        folder: Folder of caches; made if need be.
        key: What to make.
        paths: Image files.
        workers: Threads. Decoding and resizing don't hold Python's lock.
        overwrite: Whether to make every image anew.
        progress: Whether to show a progress bar.

    Raises:
        FileNotFoundError: An image isn't there.
        UnreadableImageError: One can't be decoded.
        ValueError: There are no images, or ``workers`` is below 1.
    """
    if workers < 1:
        raise ValueError(f'workers must be at least 1, got {workers}.')
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    old = None if overwrite else _open(folder, key)
    relative = RelativePaths(folder)
    wanted = {relative[path]: path for path in paths}
    if old is not None:
        if _is_complete(old, wanted.values()):
            return Built(len(old.index.entries), 0, old.pixels.nbytes)
        wanted = {**_still_there(old, folder), **wanted}
    if not wanted:
        raise ValueError(f"There are no images of '{key.source}' to put in a cache.")
    unfinished = UnfinishedCache(folder, key)
    if overwrite:
        unfinished.remove()
        unfinished = UnfinishedCache(folder, key)
    maker = _Maker(key, old, unfinished)
    with Journal(folder, key) as journal:
        _write(journal, sorted(wanted.items()), maker, workers, progress)
        index = CacheIndex(key, resampling_sum(key), tuple(journal.entries))
        journal.finish(folder / index.data_name)
    index.write(folder / f'{key.stem}.json')
    for other in folder.glob(f'{key.stem}.{"[0-9a-f]" * 8}.u8'):
        if other.name != index.data_name:
            with suppress(PermissionError):  # Windows, while another process reads it
                other.unlink()
    unfinished.remove()
    return Built(len(journal.entries), maker.made, int(np.prod(index.shape)))


def verify_cache(
    folder: str | Path, key: CacheKey, paths: Iterable[str], progress: bool = True
) -> list[str]:
    """Verify a cache and the image files against their checksums.

    Returns:
        A message for each image that is missing, has changed or is damaged.
    """
    try:
        cache = ImageCache(folder, key)
    except CacheError as error:
        return [str(error)]
    faults = []
    files = sorted(set(paths))
    for path in tqdm(files, f'verify {key.stem}', unit='img', disable=not progress):
        row = cache.find(path)
        if row is None:
            faults.append(f'{path} is not in the cache')
            continue
        entry = cache.index.entries[row]
        if not os.path.isfile(path):
            faults.append(f'{path} no longer exists')
        elif zlib.crc32(cache.pixels[row]) != entry.pixel_sum:
            faults.append(f'{path}: its pixels in the cache are damaged')
        elif zlib.crc32(read_file(path)) != entry.file_sum:
            faults.append(f'{path}: the file has changed since')
    return faults


class _Maker:
    """Makes rows of a cache; takes those of an older one that are still right."""

    def __init__(
        self, key: CacheKey, old: ImageCache | None, unfinished: UnfinishedCache
    ) -> None:
        self.key, self.old, self.unfinished = key, old, unfinished
        self.made = 0

    def make(self, job: tuple[str, str]) -> tuple[Entry, bytes, bool]:
        """Return entry and pixels of an image, and whether they are new."""
        relative, path = job
        data = read_file(path)
        status = os.stat(path)
        if len(data) != status.st_size:
            raise CacheError(f"Image '{path}' was changed while it was read.")
        file_sum = zlib.crc32(data)
        pixels = self._find(path, file_sum)
        if pixels is None:
            pixels = self.unfinished.find(relative, file_sum)
        made = pixels is None
        if pixels is None:
            height, width = self.key.size
            image = decode_image(data, path)
            resized = image.resize((width, height), self.key.method)
            pixels = to_tensor(resized).numpy().tobytes()
        entry = Entry(
            relative, len(data), status.st_mtime_ns, file_sum, zlib.crc32(pixels)
        )
        return entry, pixels, made

    def _find(self, path: str, file_sum: int) -> bytes | None:
        row = None if self.old is None else self.old.find(path)
        if self.old is None or row is None:
            return None
        entry, pixels = self.old.index.entries[row], self.old.pixels[row].tobytes()
        sums = (entry.file_sum, entry.pixel_sum)
        return pixels if sums == (file_sum, zlib.crc32(pixels)) else None


def _write(
    journal: Journal,
    jobs: Sequence[tuple[str, str]],
    maker: _Maker,
    workers: int,
    progress: bool,
) -> None:
    """Write the pixels of all images, in order."""
    with (
        ThreadPoolExecutor(workers) as pool,
        tqdm(desc=maker.key.stem, total=len(jobs), unit='img', mininterval=1.0,
             disable=not progress) as bar,
    ):  # fmt: skip
        for start in range(0, len(jobs), _CHUNK):
            rows = list(pool.map(maker.make, jobs[start : start + _CHUNK]))
            journal.append([(entry, pixels) for entry, pixels, _ in rows])
            maker.made += sum(made for *_, made in rows)
            bar.update(len(rows))


def _open(folder: Path, key: CacheKey) -> ImageCache | None:
    """Open the cache that is there, if it can be used."""
    try:
        return ImageCache(folder, key)
    except CacheError:  # absent, damaged, or made by another Pillow: it is made anew
        return None


def _is_complete(cache: ImageCache, paths: Iterable[str]) -> bool:
    try:
        cache.check(paths)
    except CacheError:
        return False
    return True


def _still_there(cache: ImageCache, folder: Path) -> dict[str, str]:
    """Return the images of a cache whose files exist, by their relative paths."""
    start = os.path.realpath(folder)
    paths = {e.path: os.path.join(start, e.path) for e in cache.index.entries}
    return {name: path for name, path in paths.items() if os.path.isfile(path)}

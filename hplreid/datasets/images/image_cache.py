"""A cache of resized images: a file of pixels, mapped into memory, and an index.

A folder holds one pair for each dataset, size and interpolation::

    Market-1501_256x128_bicubic.json         what it holds, and of which files
    Market-1501_256x128_bicubic.1f0c9a7e.u8  uint8 (N, 3, H, W) in C order, nothing else

The number is a checksum of the pixels, so a rebuilt file never takes the place of one
that is being read. Paths in the index are relative to the folder: the two can be moved
together with the images. Nothing here is ever unpickled.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import PIL
import torch
from torch import Tensor

from ..errors import list_faults
from .cache_index import CacheError, CacheIndex, CacheKey, build_command, resampling_sum


class ImageCache:
    """A cache of resized images, open for reading.

    Args:
        folder: Its folder.
        key: Which of those in the folder.

    Raises:
        CacheError: It isn't there or is damaged, or this version of Pillow would have
            made other pixels.
    """

    def __init__(self, folder: str | Path, key: CacheKey) -> None:
        self.folder = folder
        self.index = CacheIndex.read(folder, key)
        self.pixels = _map(Path(folder, self.index.data_name), self.index)
        self._rows = {entry.path: row for row, entry in enumerate(self.index.entries)}
        self._relative = RelativePaths(folder)
        if self.index.resampling != resampling_sum(key):
            raise CacheError(
                f"The cache '{key.stem}' in '{folder}' was made by another version of "
                f'Pillow: {PIL.__version__}, which is installed, gives other pixels '
                f'when it resizes. {build_command(folder)}'
            )

    def read(self, path: str) -> Tensor:
        """Return the resized image of a file, uint8 ``(3, H, W)``.

        Raises:
            CacheError: It isn't in the cache.
        """
        row = self.find(path)
        if row is None:
            raise CacheError(
                f"Image '{path}' isn't in the cache '{self.index.key.stem}' in "
                f"'{self.folder}'. {build_command(self.folder)}"
            )
        # A copy, for what comes after may write to it
        return torch.from_numpy(self.pixels[row].copy())

    def find(self, path: str) -> int | None:
        """Return the row of an image file; None if it isn't in the cache."""
        return self._rows.get(self._relative[path])

    def check(self, paths: Iterable[str]) -> None:
        """Check that image files are in the cache and haven't changed.

        Raises:
            CacheError: Some aren't; the message says which, and why.
        """
        faults = [f for p in dict.fromkeys(paths) if (f := self._find_fault(p))]
        if faults:
            raise CacheError(
                f"The cache '{self.index.key.stem}' in '{self.folder}' isn't of the "
                f'images on disk, {len(faults):,} differ:\n{list_faults(faults)}\n'
                f'{build_command(self.folder)}'
            )

    def _find_fault(self, path: str) -> str | None:
        row = self.find(path)
        if row is None:
            return f'{path} is not in the cache'
        entry = self.index.entries[row]
        try:
            now = os.stat(path)
        except FileNotFoundError:
            return f'{path} no longer exists'
        if now.st_size != entry.size:
            return f'{path} had {entry.size:,} bytes and has {now.st_size:,}'
        if now.st_mtime_ns != entry.mtime:
            return f'{path} was changed since, at {now.st_mtime:.0f} s'
        return None


@dataclass
class RelativePaths:
    """Paths of image files relative to a folder, with links among folders followed.

    A mapping that remembers: resolving a path takes longer than reading an image.
    """

    folder: str | Path
    _known: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._start = os.path.realpath(self.folder)
        self._parents: dict[str, str] = {}

    def __getitem__(self, path: str) -> str:
        if path not in self._known:
            parent, name = os.path.split(path)
            if parent not in self._parents:
                relative = os.path.relpath(os.path.realpath(parent), self._start)
                self._parents[parent] = relative.replace(os.sep, '/')
            self._known[path] = f'{self._parents[parent]}/{name}'
        return self._known[path]


def _map(path: Path, index: CacheIndex) -> np.ndarray:
    expected = int(np.prod(index.shape))
    found = path.stat().st_size if path.is_file() else 0
    if found != expected or not expected:
        raise CacheError(
            f"'{path}' should hold {len(index.entries):,} images in {expected:,} "
            f'bytes, and has {found:,}. {build_command(path.parent)}'
        )
    # Not as a memmap, which is slow to take a row of
    return np.asarray(np.memmap(path, np.uint8, 'r', shape=index.shape))

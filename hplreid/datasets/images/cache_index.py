"""The index of a cache of resized images: what it holds, and of which files."""

import json
import os
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import PIL
from PIL import Image

from hplreid.utils.user_error import UserError

FORMAT = 2
"""Format 1 held some images otherwise: on their side, say, or 16 bits all white."""


class CacheError(UserError, ValueError):
    """A cache is missing, damaged, or not of the images on disk."""


@dataclass(frozen=True)
class CacheKey:
    """The key of a cache: a dataset, an image size and an interpolation.

    Args:
        source: Name of the dataset.
        size: Height and width.
        interpolation: ``'bilinear'`` or ``'bicubic'``.
    """

    source: str
    size: tuple[int, int]
    interpolation: str

    @property
    def stem(self) -> str:
        """What the names of both files begin with."""
        return f'{_safe(self.source)}_{_describe(self.size, self.interpolation)}'

    @property
    def method(self) -> Image.Resampling:
        """The interpolation as Pillow knows it."""
        return Image.Resampling[self.interpolation.upper()]


def _safe(name: str) -> str:
    return re.sub(r'[^\w.+-]', '-', name)


def _describe(size: Sequence[int], interpolation: str) -> str:
    return f'{size[0]}x{size[1]}_{interpolation}'


class Entry(NamedTuple):
    """An image file as it was when it was put into a cache.

    Attributes:
        path: Relative to the folder of the cache, with slashes.
        size: Bytes.
        mtime: When it was last changed, ns.
        file_sum: CRC-32 of its bytes.
        pixel_sum: CRC-32 of its resized pixels.
    """

    path: str
    size: int
    mtime: int
    file_sum: int
    pixel_sum: int


@dataclass(frozen=True)
class CacheIndex:
    """The index of a cache.

    Attributes:
        key: What the cache holds.
        resampling: :func:`resampling_sum` of the Pillow that made it.
        entries: The images, row by row.
    """

    key: CacheKey
    resampling: int
    entries: tuple[Entry, ...]

    @property
    def data_name(self) -> str:
        """Name of the file of pixels."""
        sums = np.array([entry.pixel_sum for entry in self.entries], dtype='<u4')
        return f'{self.key.stem}.{zlib.crc32(sums.tobytes()):08x}.u8'

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Shape of the pixels, ``(N, 3, H, W)``."""
        return (len(self.entries), 3, *self.key.size)

    def write(self, path: Path) -> None:
        """Write the index as JSON, whole or not at all."""
        content = {
            'format': FORMAT,
            'source': self.key.source,
            'size': self.key.size,
            'interpolation': self.key.interpolation,
            'resampling': self.resampling,
            'pillow': PIL.__version__,  # for people; what counts is the line before
            'data': self.data_name,
            'columns': Entry._fields,
            'pictures': self.entries,  # as the first version named it on disk
        }
        temporary = path.with_name(f'.{path.name}.{os.getpid()}.partial')
        try:
            temporary.write_text(json.dumps(content) + '\n', encoding='utf-8')
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)

    @classmethod
    def read(cls, folder: str | Path, key: CacheKey) -> 'CacheIndex':
        """Read the index of a cache.

        Raises:
            CacheError: There is none, or it isn't one that this program wrote.
        """
        path = Path(folder, f'{key.stem}.json')
        try:
            content = json.loads(path.read_text(encoding='utf-8'))
            index = cls._parse(content)
            name = content['data']
        except FileNotFoundError:
            raise CacheError(
                f"No cache '{path}' of the images of '{key.source}' at "
                f'{key.size[0]} x {key.size[1]}, {key.interpolation}. '
                f'{_others(folder, key)}{build_command(folder)}'
            ) from None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CacheError(
                f"'{path}' is no index of a cache, of format {FORMAT} "
                f'({type(error).__name__}: {error}). {build_command(folder)}'
            ) from error
        if index.key != key or index.data_name != name:
            raise CacheError(
                f"'{path}' doesn't belong to its name or to its data '{name}': it was "
                f'renamed or changed. {build_command(folder)}'
            )
        return index

    @classmethod
    def _parse(cls, content: dict[str, Any]) -> 'CacheIndex':
        if content['format'] != FORMAT:
            raise ValueError(f'it is of format {content["format"]}')
        height, width = map(int, content['size'])
        key = CacheKey(content['source'], (height, width), content['interpolation'])
        entries = tuple(
            Entry(str(path), int(size), int(mtime), int(file_sum), int(pixel_sum))
            for path, size, mtime, file_sum, pixel_sum in content['pictures']
        )
        return cls(key, int(content['resampling']), entries)


@lru_cache
def resampling_sum(key: CacheKey) -> int:
    """Return a checksum of how the installed Pillow resizes to a size.

    It differs between versions: which pass comes first decides what is rounded.
    """
    total = 0
    height, width = key.size
    shapes = (128, 64), (2 * height + 45, width), (height, 2 * width + 9)
    for shape in shapes:
        noise = np.random.default_rng(0).integers(256, size=(*shape, 3), dtype=np.uint8)
        resized = Image.fromarray(noise).resize((width, height), key.method)
        total = zlib.crc32(resized.tobytes(), total)
    return total


def find_missing_cache(
    folder: str, size: Sequence[int], interpolation: str
) -> list[str]:
    """Return a message if a folder has no cache of this key, else nothing."""
    end = f'_{_describe(size, interpolation)}.json'
    if any(name.endswith(end) for name in _list(folder)):
        return []
    return [
        f"image_cache: '{folder}' has no cache of images at {size[0]} x {size[1]}, "
        f'{interpolation}. {build_command(folder)} Or set image_cache to None.'
    ]


def build_command(folder: str | Path) -> str:
    """Return the sentence that says how to build a cache."""
    return f'Build it: python tools/dataset_tools/build_cache.py CONFIG --out {folder}.'


def _others(folder: str | Path, key: CacheKey) -> str:
    start = f'{_safe(key.source)}_'
    names = [n for n in _list(folder) if n.startswith(start) and n.endswith('.json')]
    return f'There are: {", ".join(names)}. ' if names else ''


def _list(folder: str | Path) -> list[str]:
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []

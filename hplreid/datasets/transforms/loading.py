"""Loading an image from a file or a cache, and resizing it."""

from collections.abc import Sequence
from typing import Any

from PIL import Image

from hplreid.registry import TRANSFORMS

from ..images.cache_index import CacheKey, find_missing_cache
from ..images.decoding import decode_pixels
from ..images.image_cache import ImageCache
from ..images.image_files import read_file
from ..images.resampling import resize
from ..items import Item


@TRANSFORMS.register_module()
class LoadImage:
    """Read the image of an item, in RGB; captions pass through.

    The pixels are Pillow's, see :mod:`..decoding`. JPEG files are decoded in full: the
    quicker decoding at a reduced size that libjpeg offers gives others.
    """

    def __call__(self, item: Item) -> Item:
        """Set ``image``, uint8 ``(3, H, W)``.

        Raises:
            FileNotFoundError: The file isn't there.
            UnreadableImageError: It can't be decoded.
        """
        if item['img_path'] is not None:
            path = item['img_path']
            item['image'] = decode_pixels(read_file(path), path)
        return item


@TRANSFORMS.register_module()
class ResizeImage:
    """Bring an image, uint8 ``(3, H, W)``, to a size.

    The pixels are Pillow's, see :mod:`.resampling`.

    Args:
        size: Height and width.
        interpolation: ``'bilinear'`` or ``'bicubic'``, both over the whole area of the
            pixels that become one (no aliasing).

    Raises:
        ValueError: An argument isn't usable.
    """

    def __init__(
        self, size: tuple[int, int] = (384, 128), interpolation: str = 'bilinear'
    ) -> None:
        self.size, self.interpolation = _check_size(size, interpolation)

    def __call__(self, item: Item) -> Item:
        """Resize ``image``."""
        if item.get('image') is not None:
            item['image'] = resize(item['image'], self.size, self.interpolation)
        return item


@TRANSFORMS.register_module()
class LoadCachedImage:
    """Take the image of an item, already resized, from a cache.

    It stands for :class:`LoadImage` and :class:`ResizeImage`, and gives the same
    pixels. ``image_cache`` in a config puts it there in every pipeline.

    Files are opened when a process first needs them, so it may be handed to workers.

    Args:
        cache: Folder that ``tools/dataset_tools/build_cache.py`` has filled.
        size: Height and width.
        interpolation: As of :class:`ResizeImage`.

    Raises:
        ValueError: An argument isn't usable.
    """

    def __init__(
        self,
        cache: str,
        size: tuple[int, int] = (384, 128),
        interpolation: str = 'bilinear',
    ) -> None:
        self.size, _ = _check_size(size, interpolation)
        self.cache, self.interpolation = cache, interpolation
        self._open: dict[str, ImageCache] = {}

    @classmethod
    def find_problems(
        cls,
        cache: str,
        size: tuple[int, int] = (384, 128),
        interpolation: str = 'bilinear',
    ) -> list[str]:
        """Say whether the folder holds anything of this size; see :mod:`..cache`."""
        return find_missing_cache(cache, size, interpolation)

    def check_items(self, items: Sequence[Item]) -> None:
        """Check that the cache has the images of these items as they are on disk.

        Only sizes and times of change are looked at; the build tool compares contents.

        Raises:
            CacheError: It lacks some, or some have changed since; the message says
                which, and the command to build it anew.
        """
        paths: dict[str, list[str]] = {}
        for item in items:
            if item['img_path'] is not None:
                paths.setdefault(item['source'], []).append(item['img_path'])
        for source, of_source in paths.items():
            self._find(source).check(of_source)

    def __call__(self, item: Item) -> Item:
        """Set ``image``, uint8 ``(3, H, W)``.

        Raises:
            CacheError: The cache doesn't have it.
        """
        if item['img_path'] is not None:
            item['image'] = self._find(item['source']).read(item['img_path'])
        return item

    def _find(self, source: str) -> ImageCache:
        if source not in self._open:
            key = CacheKey(source, self.size, self.interpolation)
            self._open[source] = ImageCache(self.cache, key)
        return self._open[source]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, '_open': {}}


def _check_size(
    size: Sequence[int], interpolation: str
) -> tuple[tuple[int, int], Image.Resampling]:
    if len(size) != 2 or min(size) < 1:
        raise ValueError(f'size must be (height, width) in pixels, got {size}.')
    if interpolation not in ('bilinear', 'bicubic'):
        raise ValueError(
            f"interpolation must be 'bilinear' or 'bicubic', got {interpolation!r}."
        )
    height, width = size
    return (height, width), Image.Resampling[interpolation.upper()]

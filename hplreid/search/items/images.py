"""The image of an item: its file inside the gallery's root, or its thumbnail."""

import io
import os
from dataclasses import dataclass

from PIL import Image
from torch import Tensor

from hplreid.apis.inputs import ImageSource
from hplreid.datasets import UnreadableImageError
from hplreid.datasets.errors import MissingDataError
from hplreid.datasets.images.decoding import decode_pixels
from hplreid.datasets.images.image_files import read_file

from ..errors import ItemError
from .item import Item, check_path

MOST_BYTES, MOST_PIXELS = 256 << 20, 90_000_000
"""What an image may have; a small file can say that it has billions of pixels."""


def locate(path: str, root: str | None) -> str:
    """Return where an item's file is, inside a gallery's root.

    Args:
        path: Relative to the root.
        root: The folder.

    Raises:
        ItemError: There is no root, or the path leads out of it, also by a link.

    Example:
        >>> os.path.basename(locate('a/b.jpg', '.'))
        'b.jpg'
    """
    check_path(path)
    if root is None:
        raise ItemError(
            f"path='{path}': the gallery has no root, the folder that paths are "
            'relative to.'
        )
    real = os.path.realpath(root)
    found = os.path.realpath(os.path.join(real, path))
    if os.path.commonpath([real, found]) != real:
        raise ItemError(
            f"path='{path}' is a link that leads out of the gallery's root '{root}': "
            'nothing outside of it is read.'
        )
    return found


def decode_item(item: Item, root: str | None) -> Tensor:
    """Return the pixels of an item, uint8 ``(3, H, W)``, RGB, upright, cut to its box.

    Args:
        item: The item.
        root: Folder of its path.

    Raises:
        ItemError: It has neither file nor thumbnail, or the path leads out.
        MissingDataError: The file doesn't exist.
        UnreadableImageError: It can't be decoded, or the box isn't in it.

    Example:
        >>> Image.new('RGB', (40, 30), 'red').save('a.png')
        >>> tuple(decode_item(Item('a', 'a.png', box=(10, 0, 8, 16)), '.').shape)
        (3, 16, 8)
    """
    if item.path is None:
        if item.thumbnail is None:
            raise ItemError(f'Item {item.id!r} has no image, features alone.')
        return _decode(item.thumbnail, f'thumbnail of {item.id}')
    pixels = _decode(_read(locate(item.path, root), item.path), item.path)
    if item.box is None:
        return pixels
    left, top, width, height = item.box
    if left + width > pixels.shape[2] or top + height > pixels.shape[1]:
        raise UnreadableImageError(
            f"Image '{item.path}' is {pixels.shape[2]} x {pixels.shape[1]} pixels, and "
            f'box={item.box} of item {item.id!r} (left, top, width, height) goes '
            'beyond.'
        )
    return pixels[:, top : top + height, left : left + width]


def _read(file: str, path: str) -> bytes:
    if not os.path.exists(file):
        raise MissingDataError(f"Image '{path}' does not exist any more.")
    if not os.path.isfile(file):  # reading a pipe would never end
        raise UnreadableImageError(f"Image '{path}' is no file.")
    if (size := os.path.getsize(file)) > MOST_BYTES:
        raise UnreadableImageError(
            f"Image '{path}' has {size:,} bytes: expected {MOST_BYTES:,} at most."
        )
    return read_file(file)


def _decode(data: bytes, path: str) -> Tensor:
    try:
        with Image.open(io.BytesIO(data)) as image:
            width, height = image.size
    except Image.DecompressionBombError as error:
        raise UnreadableImageError(f"Image '{path}' is refused: {error}") from None
    except Exception:  # decoding says what's wrong with it
        return decode_pixels(data, path)
    if width * height > MOST_PIXELS:
        raise UnreadableImageError(
            f"Image '{path}' is refused: it says that it has {width} x {height} "
            f'pixels, expected {MOST_PIXELS:,} at most.'
        )
    return decode_pixels(data, path)


def load_item(item: Item, root: str | None) -> Image.Image:
    """Return the image of an item, RGB; see :func:`decode_item`.

    Example:
        >>> Image.new('RGB', (4, 8), 'red').save('a.png')
        >>> load_item(Item('a', 'a.png'), '.').size
        (4, 8)
    """
    pixels = decode_item(item, root).permute(1, 2, 0).contiguous()
    return Image.fromarray(pixels.numpy())


@dataclass(frozen=True)
class ItemSource(ImageSource):
    """An item's image that hasn't been decoded yet; ``content`` is the item.

    Attributes:
        root: Folder of its path.
    """

    root: str | None = None

    def decode(self) -> Tensor:
        """See :func:`decode_item`."""
        return decode_item(self.content, self.root)

"""What is let in: images that people drop on the page."""

import io
import warnings

from PIL import Image

from hplreid.apis.inputs import ImageSource
from hplreid.datasets import UnreadableImageError
from hplreid.datasets.images.decoding import decode_pixels
from hplreid.utils.user_error import UserError

MOST_BYTES = 20 * 1024 * 1024
"""Of a file."""
MOST_PIXELS = 50_000_000
"""Of an image: a crop has thousands, the largest cameras have this many."""
MOST_IMAGES = 8
"""Of a query."""
_FORMATS = ('JPEG', 'PNG', 'WEBP', 'BMP', 'TIFF')
_SHORTEST = 60  # characters of a name that are shown


class UploadError(UserError, ValueError):
    """A file that was dropped on the page can't be searched for."""


def decode_upload(name: str, data: bytes) -> ImageSource:
    """Decode an image from the browser, which may be anything.

    Its size is read before its pixels, so that a small file of a huge image takes no
    memory. Formats are few, and known by content alone.

    Args:
        name: What its sender calls it: for messages alone, never a path.
        data: The bytes.

    Returns:
        The image, uint8 ``(3, H, W)``, RGB, upright.

    Raises:
        UploadError: It is too large, or no image.

    Example:
        >>> file = io.BytesIO()
        >>> Image.new('RGB', (4, 8)).save(file, 'PNG')
        >>> tuple(decode_upload('a.png', file.getvalue()).decode().shape)
        (3, 8, 4)
        >>> decode_upload('a.png', b'<svg onload="alert(1)">')
        Traceback (most recent call last):
        ...
        hplreid...UploadError: 'a.png' is no image that can be read here: expected ...
    """
    shown = repr(name if len(name) <= _SHORTEST else f'{name[: _SHORTEST - 3]}...')
    if len(data) > MOST_BYTES:
        raise UploadError(
            f'{shown} has {len(data) / 2**20:.0f} MB: expected at most '
            f'{MOST_BYTES >> 20} MB.'
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
                width, height = image.size
    except Image.DecompressionBombError:
        raise _too_large(shown) from None
    except Exception:  # Pillow raises many kinds for damaged files
        raise UploadError(
            f'{shown} is no image that can be read here: expected '
            f'{", ".join(_FORMATS)}.'
        ) from None
    if width * height > MOST_PIXELS:
        raise _too_large(shown)
    try:
        return ImageSource(name, decode_pixels(data, name))
    except UnreadableImageError as error:
        raise UploadError(f"{shown} can't be read: {error}") from None


def _too_large(shown: str) -> UploadError:
    return UploadError(
        f'{shown} has too many pixels: expected at most {MOST_PIXELS // 1_000_000} '
        'million.'
    )

"""What a user may give as images and captions, one after the other."""

import glob
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from hplreid.datasets import UnreadableImageError
from hplreid.datasets.errors import MissingDataError
from hplreid.datasets.images.decoding import decode_pixels
from hplreid.datasets.images.image_files import read_file
from hplreid.datasets.images.rgb import ValueRangeError, to_rgb
from hplreid.datasets.images.suffixes import SUFFIXES
from hplreid.utils.user_error import UserError

Images: TypeAlias = str | Path | Image.Image | np.ndarray | Tensor | Iterable[Any]
"""A file, folder or glob; an image or a batch of them; or any sequence of these."""

Captions: TypeAlias = str | Iterable[str]


class InputError(UserError, TypeError):
    """Something is no image, or no caption."""


@dataclass(frozen=True)
class ImageSource:
    """An image that hasn't been decoded yet.

    Attributes:
        name: Path of the file; ``'image 3'`` for the fourth of those in memory.
        content: Path, or what is in memory.
    """

    name: str
    content: Any

    @property
    def path(self) -> str | None:
        """Path of the file; None for an image in memory."""
        return self.content if isinstance(self.content, str) else None

    def decode(self) -> Tensor:
        """Return the pixels, uint8 ``(3, H, W)``, RGB, upright.

        Raises:
            MissingDataError: The file doesn't exist.
            UnreadableImageError: It can't be decoded.
            InputError: What is in memory is no image.
        """
        if isinstance(self.content, str):
            return decode_pixels(read_file(self.content), self.content)
        if isinstance(self.content, Tensor):
            return _check_tensor(self.content, self.name)
        image = self.content
        if isinstance(image, np.ndarray):
            image = _image_of(image, self.name)
        try:
            image = to_rgb(image).image
        except ValueRangeError as error:
            raise UnreadableImageError(f"{self.name} can't be used: {error}.") from None
        return torch.from_numpy(np.array(image)).permute(2, 0, 1)


def iter_images(images: Images) -> Iterator[ImageSource]:
    """Yield images one by one, as they come; nothing is decoded yet.

    Args:
        images: A path, a folder (searched with its sub-folders, in the order of the
            paths) or a glob (``'shots/**/*.jpg'``); a PIL image; an array
            ``(H, W)``, ``(H, W, 3)`` RGB or a batch ``(N, H, W, 3)``; a tensor uint8
            ``(3, H, W)`` or a batch ``(N, 3, H, W)``; or a list, generator or other
            iterable of these, nested at will.

    Raises:
        MissingDataError: There is no such file, or no image in a folder.
        InputError: Something else is there.

    Example:
        >>> Image.new('RGB', (4, 8)).save('b.png')
        >>> two = (['b.png', np.zeros((2, 8, 4, 3), dtype=np.uint8)] for _ in range(1))
        >>> [source.name for source in iter_images(two)]
        ['b.png', 'image 1', 'image 2']
    """
    for number, (name, content) in enumerate(_flatten(images)):
        if isinstance(content, ImageSource):
            yield content
        else:
            yield ImageSource(name or f'image {number}', content)


def list_images(images: Images) -> list[str]:
    """Return the names of images, in the order of their features.

    Args:
        images: See :func:`iter_images`.

    Example:
        >>> Image.new('RGB', (4, 8)).save('a.png')
        >>> list_images('a*.png')
        ['a.png']
    """
    return [source.name for source in iter_images(images)]


def iter_captions(captions: Captions) -> Iterator[str]:
    """Yield captions one by one.

    Raises:
        InputError: One isn't text (a number, or NaN from a table), or is empty.

    Example:
        >>> list(iter_captions('a man in a red coat'))
        ['a man in a red coat']
        >>> list(iter_captions(['a man', float('nan')]))
        Traceback (most recent call last):
        ...
        hplreid...InputError: Caption 1 is nan, a float: expected text.
    """
    given = [captions] if isinstance(captions, str) else captions
    if not isinstance(given, Iterable):
        raise InputError(
            f'captions={captions!r}: expected text, or several of them in a list.'
        )
    for number, caption in enumerate(given):
        if not isinstance(caption, str):
            raise InputError(
                f'Caption {number} is {caption!r}, a {type(caption).__name__}: '
                'expected text.'
            )
        if not caption.strip():
            raise InputError(f'Caption {number} is empty: expected text.')
        yield caption


def is_image_path(text: str) -> bool:
    """Return whether a text is meant as a file, a folder or a glob, not as a caption.

    Example:
        >>> is_image_path('query/0001.jpg'), is_image_path('a man in a red coat.')
        (True, False)
    """
    return (
        os.path.splitext(text)[1].lower() in SUFFIXES
        or ('\0' not in text and len(text) < 4096 and os.path.exists(text))
        or (glob.has_magic(text) and os.sep in text)
    )


def _flatten(images: Any) -> Iterator[tuple[str | None, Any]]:  # noqa: ANN401
    if isinstance(images, str | Path):
        yield from ((path, path) for path in _find_files(os.fspath(images)))
    elif isinstance(images, ImageSource):
        yield images.name, images
    elif isinstance(images, Image.Image):
        yield None, images
    elif isinstance(images, np.ndarray | Tensor):
        batch = images if images.ndim == 4 else [images]
        yield from ((None, image) for image in batch)
    elif isinstance(images, Iterable) and not isinstance(images, bytes | dict):
        for image in images:
            yield from _flatten(image)
    else:
        raise InputError(
            f'{images!r} is a {type(images).__name__}: expected the path of an image, '
            'a folder, a glob, a PIL image, an array (H, W, 3), a tensor (3, H, W), or '
            'a sequence of these.'
        )


def _find_files(path: str) -> list[str]:
    path = os.path.expanduser(path)
    if os.path.isdir(path):
        found = sorted(
            os.path.join(folder, name)
            for folder, _, names in os.walk(path)
            for name in names
            if _is_image(name)
        )
        if not found:
            raise MissingDataError(
                f"Folder '{path}' has no images: expected files that end in "
                f'{", ".join(SUFFIXES)}, in it or in its sub-folders.'
            )
        return found
    if glob.has_magic(path) and not os.path.exists(path):
        matches = sorted(glob.glob(path, recursive=True))
        if found := [m for m in matches if os.path.isfile(m) and _is_image(m)]:
            return found
        raise MissingDataError(f"No image matches '{path}'.")
    if not os.path.exists(path):
        raise MissingDataError(f"Image '{path}' does not exist.")
    return [path]


def _is_image(name: str) -> bool:
    base = os.path.basename(name)
    ending = os.path.splitext(base)[1].lower()
    return ending in SUFFIXES and not base.startswith('.')


def _check_tensor(image: Tensor, name: str) -> Tensor:
    if image.ndim != 3 or len(image) != 3 or image.dtype != torch.uint8:
        raise InputError(
            f'{name} is a tensor {tuple(image.shape)} of {image.dtype}: expected uint8 '
            '(3, H, W), RGB from 0 to 255; normalizing is done here.'
        )
    return image.cpu()


def _image_of(image: np.ndarray, name: str) -> Image.Image:
    plain = image.ndim == 3 and image.shape[2] in (3, 4) and image.dtype == np.uint8
    gray = image.ndim == 2 and image.dtype in (np.uint8, np.uint16)
    if not (plain or gray) or 0 in image.shape:
        raise InputError(
            f'{name} is an array {image.shape} of {image.dtype}: expected uint8 '
            '(H, W, 3), RGB from 0 to 255, or gray (H, W), uint8 or uint16.'
        )
    return Image.fromarray(image)

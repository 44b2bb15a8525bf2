"""The disk space that a dataset needs, and messages where it is missing."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .layouts import Shot

# Bytes on disk of an image of 1 to 3 KB, in blocks of 4 KiB, with its inode, and of
# an image's captions. An overview and a manifest need less than the rest.
_FILE_BYTES, _CAPTION_BYTES, _REST_BYTES = 4608, 2048, 2_000_000
_FULL = (errno.ENOSPC, errno.EDQUOT)


class DiskFullError(OSError):
    """No space is left for a dataset."""


def needed_bytes(shots: list[Shot]) -> int:
    """Return about how many bytes the images and captions of shots take on disk."""
    files = sum(len(shot.paths) for shot in shots)
    captioned = sum(bool(shot.split) for shot in shots)
    return files * _FILE_BYTES + captioned * _CAPTION_BYTES + _REST_BYTES


def _message(folder: Path, needed: int) -> str:
    free = shutil.disk_usage(folder).free
    return (
        f'no space for SynthPeds in {folder}: the images to render need about '
        f'{needed / 1e6:.0f} MB, {free / 1e6:.0f} MB are free. Free some space, or '
        'choose another folder, and start again: what is rendered is kept.'
    )


def check_free_space(folder: Path, shots: list[Shot]) -> None:
    """Raise a DiskFullError if a folder has no space for the images of shots."""
    needed = needed_bytes(shots)
    if shutil.disk_usage(folder).free < needed:
        raise DiskFullError(_message(folder, needed))


@contextmanager
def clear_if_full(folder: Path, shots: list[Shot]) -> Iterator[None]:
    """Turn the error of a full disk into a DiskFullError that says what to do.

    Args:
        folder: Folder on the disk.
        shots: What was to be rendered when the work began.
    """
    try:
        yield
    except DiskFullError:
        raise
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise DiskFullError(_message(folder, needed_bytes(shots))) from error

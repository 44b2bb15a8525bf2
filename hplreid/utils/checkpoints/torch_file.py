"""Files of ``torch.save``: checked for damage, then read without executing code."""

import pickle
import re
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import Any

import torch

# How a ZIP begins, which torch has written since 1.6; what it wrote before has no
# checksums
_ZIP = b'PK'
# The flag of MS-DOS at which torch, unlike Python, leaves a part of a ZIP unread: the
# tensor would have what was in the memory before
_FOLDER = 0x10


def read_torch_file(path: str | Path, map_location: Any = 'cpu') -> Any:  # noqa: ANN401
    """Return the content of a file that ``torch.save`` wrote.

    Torch doesn't compare the checksums (CRC-32) that it writes: a flipped bit in a
    weight would become another weight. Here they are compared first, at 0.04 s for
    100 MB.

    Args:
        path: The file.
        map_location: The device of the tensors. Defaults to ``'cpu'``.

    Raises:
        ValueError: The file is damaged, isn't of ``torch.save``, or has more than
            plain values; the message says which.

    Example:
        >>> torch.save({'epoch': 3}, 'a.pth')
        >>> read_torch_file('a.pth')
        {'epoch': 3}
        >>> _ = Path('a.pth').write_bytes(Path('a.pth').read_bytes()[:-9])
        >>> read_torch_file('a.pth')
        Traceback (most recent call last):
        ...
        ValueError: it is damaged: its end is missing or overwritten
    """
    try:
        with open(path, 'rb') as file:
            start = file.read(2)
            if start == _ZIP:
                _check_zip(path)
            file.seek(0)
            with warnings.catch_warnings():
                warnings.simplefilter('ignore')  # on files that are no checkpoints
                return torch.load(file, map_location=map_location, weights_only=True)
    except OSError as error:
        raise ValueError(f'the system says: {error.strerror or error}') from error
    except _DamageError as damage:
        raise ValueError(f'it is damaged: {damage}') from None
    # What was damaged, or is no such file at all, may raise anything. Not `from error`:
    # torch's message advises to read the file with weights_only=False, which would
    # execute the code in it
    except Exception as error:
        raise ValueError(_explain(error, start)) from None


def is_torchscript(path: str | Path) -> bool:
    """Return whether a file is an archive of ``torch.jit.save``, undamaged.

    Raises:
        ValueError: It is a damaged ZIP.
    """
    if not zipfile.is_zipfile(path):
        return False
    try:
        _check_zip(path)
    except _DamageError as damage:
        raise ValueError(f"'{path}' is damaged: {damage}") from None
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith('/constants.pkl') for name in archive.namelist())


class _DamageError(Exception):
    """A checksum says that a file isn't what was written."""


def _check_zip(path: str | Path) -> None:
    """Compare the checksum of every record of a ZIP with its content."""
    try:
        with zipfile.ZipFile(path) as archive:
            records = archive.infolist()
            if any(record.external_attr & _FOLDER for record in records):
                raise _DamageError('a part of it is marked as a folder')
            # All zero where torch was told to compute none
            if not any(record.CRC for record in records):
                return
            record = archive.testzip()
    except zipfile.BadZipFile as error:
        raise _DamageError('its end is missing or overwritten') from error
    # What a changed header makes of a record: packed, encrypted, longer than the file
    except (RuntimeError, ValueError, EOFError, NotImplementedError) as error:
        raise _DamageError(str(error)) from error
    except (zlib.error, OSError) as error:
        raise _DamageError(str(error)) from error
    if record is not None:
        raise _DamageError(f"the checksum of its part '{record}' is another")


def _explain(error: Exception, start: bytes) -> str:
    """Return why a file can't be read, in words of our own."""
    if not start:
        return 'it is empty'
    other = re.search(r'GLOBAL (\S+)', str(error))
    if isinstance(error, pickle.UnpicklingError) and other:
        return (
            f"it holds a '{other[1]}' besides tensors, numbers, strings, lists and "
            'dicts; such objects could execute code and are not read'
        )
    return 'it is damaged, or was not written by torch.save'

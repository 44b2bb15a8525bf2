"""Files of named arrays, read without executing anything that is in them."""

import json
import os
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hplreid.utils.user_error import UserError


class ArrayFileError(UserError, ValueError):
    """A file of arrays can't be read, or lacks a required array."""


def write_arrays(path: str | Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write a compressed ``.npz`` that is either whole or not there.

    Raises:
        ValueError: An array holds Python objects.
    """
    path = Path(path)
    for name, array in arrays.items():
        if np.asarray(array).dtype.hasobject:
            raise ValueError(
                f"'{path}': the array '{name}' holds Python objects; expected numbers "
                'or strings.'
            )
    content: dict[str, Any] = dict(arrays)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f'.{path.name}.{os.getpid()}')
    try:
        with open(temporary, 'wb') as file:
            # By **: an array may be called `file`, which the function is given by place
            np.savez_compressed(file, **content)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def read_arrays(path: str | Path) -> dict[str, np.ndarray]:
    """Read every array of an ``.npz``, with ``allow_pickle=False``.

    Raises:
        FileNotFoundError: There is no such file.
        ArrayFileError: It is damaged, no ``.npz``, or an array holds Python objects,
            which could execute anything when they are read.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"'{path}' does not exist.")
    if not zipfile.is_zipfile(path):
        raise ArrayFileError(
            f"'{path}' is no .npz file: expected what numpy.savez(path, key=array, "
            '...) writes.'
        )
    arrays, name = {}, '-'
    try:
        with np.load(path, allow_pickle=False) as file:
            for name in file.files:
                arrays[name] = file[name]
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ArrayFileError(
            f"'{path}': the array '{name}' can't be read ({error}). Arrays of Python "
            'objects are never read; save numbers and strings.'
        ) from error
    return arrays


def read_object(
    path: str | Path, arrays: Mapping[str, np.ndarray], name: str
) -> dict[str, Any]:
    """Read an array that holds a JSON object as text; empty if there is none.

    Raises:
        ArrayFileError: It is something else.
    """
    text = str(arrays.get(name, '{}'))
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise ArrayFileError(
            f"'{path}': {name} must be a JSON object; got {text!r:.99}."
        )
    return content


def need_keys(
    path: str | Path, arrays: Mapping[str, np.ndarray], needed: tuple[str, ...]
) -> None:
    """Check that a file has the required arrays.

    Raises:
        ArrayFileError: It doesn't; the message lists what is missing and what is there.
    """
    missing = [name for name in needed if name not in arrays]
    if missing:
        raise ArrayFileError(
            f"'{path}' lacks {', '.join(missing)}; it holds: "
            f'{", ".join(sorted(arrays)) or "nothing"}.'
        )

"""Checkpoints of plain values, read without executing anything that is in them."""

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner.checkpoint import CheckpointLoader

_PLAIN = (str, int, float, bool, bytes, type(None), torch.Tensor)


class CheckpointError(ValueError):
    """A checkpoint can't be read, or isn't for what it is used for."""


def to_plain(value: Any, where: str = 'checkpoint') -> Any:  # noqa: ANN401
    """Return ``value`` made of tensors, numbers, strings and plain containers alone.

    Args:
        value: Anything that a checkpoint may hold.
        where: Its place in the checkpoint, for the error.

    Raises:
        TypeError: There is an object in it that isn't plain, named by its place. Read
            back with ``weights_only=True`` it would make the file unreadable.
    """
    if isinstance(value, np.generic):  # before float, which np.float64 also is
        return value.item()
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value.copy())
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, dict):
        items = (
            (to_plain(k, where), to_plain(v, f'{where}.{k}')) for k, v in value.items()
        )
        return OrderedDict(items) if isinstance(value, OrderedDict) else dict(items)
    if isinstance(value, (list, tuple)):
        kind = tuple if isinstance(value, tuple) else list
        return kind(to_plain(v, f'{where}.{i}') for i, v in enumerate(value))
    raise TypeError(
        f'{where} is a {type(value).__name__}; checkpoints hold tensors, numbers, '
        'strings, lists and dicts only.'
    )


def pack_message_hub(state: dict[str, Any]) -> dict[str, Any]:
    """Turn the histories of logged numbers into tensors."""
    scalars = {
        key: dict(zip(('values', 'counts'), map(torch.from_numpy, h.data), strict=True))
        for key, h in state['log_scalars'].items()
    }
    return dict(state, log_scalars=scalars)


def unpack_message_hub(state: dict[str, Any]) -> dict[str, Any]:
    """Undo :func:`pack_message_hub`."""
    scalars = {
        key: HistoryBuffer(h['values'].cpu().numpy(), h['counts'].cpu().numpy())
        for key, h in state['log_scalars'].items()
    }
    return dict(state, log_scalars=scalars)


def read_checkpoint(path: str | Path, map_location: Any = 'cpu') -> dict[str, Any]:  # noqa: ANN401
    """Read a checkpoint, with ``weights_only=True``: no code in it is executed.

    Raises:
        FileNotFoundError: There is no such file.
        CheckpointError: It is damaged, holds more than plain values, or no weights.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"Checkpoint '{path}' does not exist.")
    try:
        checkpoint = torch.load(path, map_location=map_location, weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise CheckpointError(
            f"'{path}' can't be read as a checkpoint of plain values (nothing else is "
            f'ever read): it is damaged, or was not made by this code base. {error}'
        ) from error
    if not isinstance(checkpoint, dict):
        raise CheckpointError(f"'{path}' holds a {type(checkpoint).__name__}.")
    return checkpoint


def load_from_local(
    filename: str,
    map_location: Any = 'cpu',  # noqa: ANN401
) -> dict[str, Any]:
    """Read a file for MMEngine, which cuts a line for its log from this name."""
    return read_checkpoint(filename, map_location)


def use_safe_loading() -> None:
    """Have MMEngine read local files by :func:`read_checkpoint`.

    Its own reader falls back to ``weights_only=False``.
    """
    CheckpointLoader.register_scheme('', loader=load_from_local, force=True)

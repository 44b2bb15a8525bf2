"""Checkpoints of plain values, which are read without executing code in them."""

from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner.checkpoint import CheckpointLoader

from ..user_error import UserError
from .torch_file import read_torch_file
from .weights_file import read_weights

_PLAIN = (str, int, float, bool, bytes, type(None), torch.Tensor)


class CheckpointError(UserError, ValueError):
    """A checkpoint can't be read, or doesn't fit its use."""


class MissingCheckpointError(UserError, FileNotFoundError):
    """The file of a checkpoint doesn't exist."""


def to_plain(value: Any, where: str = 'checkpoint') -> Any:  # noqa: ANN401
    """Convert ``value`` to tensors, numbers, strings and plain containers.

    Args:
        value: A part of a checkpoint.
        where: Its place in the checkpoint, for the error message.

    Raises:
        TypeError: It has an object that can't be converted, with which the file
            couldn't be read with ``weights_only=True``.

    Example:
        >>> to_plain({'mAP': np.float64(70.5), 'pids': np.array([3, 7])})
        {'mAP': 70.5, 'pids': tensor([3, 7])}
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
        f'{where} is a {type(value).__name__}; expected only tensors, numbers, '
        'strings, lists and dicts in a checkpoint.'
    )


def pack_message_hub(state: dict[str, Any]) -> dict[str, Any]:
    """Convert the histories of logged values in a message hub's state to tensors."""
    scalars = {
        key: dict(zip(('values', 'counts'), map(torch.from_numpy, h.data), strict=True))
        for key, h in state['log_scalars'].items()
    }
    return dict(state, log_scalars=scalars)


def unpack_message_hub(state: dict[str, Any]) -> dict[str, Any]:
    """Convert tensors back to histories, the inverse of :func:`pack_message_hub`."""
    scalars = {
        key: HistoryBuffer(h['values'].cpu().numpy(), h['counts'].cpu().numpy())
        for key, h in state['log_scalars'].items()
    }
    return dict(state, log_scalars=scalars)


def read_checkpoint(path: str | Path, map_location: Any = 'cpu') -> dict[str, Any]:  # noqa: ANN401
    """Read a checkpoint without executing code, if it is as it was written.

    Checksums are compared: those of the ZIP that ``torch.save`` writes, and the SHA-256
    in a ``*.safetensors`` of this code base.

    Args:
        path: The file; ``*.safetensors`` have weights and ``meta`` only.
        map_location: The device of the tensors. Defaults to ``'cpu'``.

    Raises:
        MissingCheckpointError: The file doesn't exist.
        CheckpointError: It is damaged, isn't a dict, or has more than plain values.

    Example:
        >>> torch.save(dict(state_dict={}, meta=dict(epoch=3)), 'epoch_3.pth')
        >>> read_checkpoint('epoch_3.pth')['meta']
        {'epoch': 3}
    """
    path = Path(path).expanduser()
    if not path.is_file():
        what = 'is a folder, not a file' if path.is_dir() else 'does not exist'
        raise MissingCheckpointError(f"Checkpoint '{path}' {what}.")
    try:
        if path.suffix == '.safetensors':
            return read_weights(path)
        checkpoint = read_torch_file(path, map_location)
    except ValueError as error:
        raise CheckpointError(
            f"'{path}' can't be read as a checkpoint: {error}."
        ) from error
    if not isinstance(checkpoint, dict):
        raise CheckpointError(
            f"'{path}' holds a {type(checkpoint).__name__}, expected a dict."
        )
    for key in ('state_dict', 'meta'):
        if not isinstance(checkpoint.get(key, {}), dict):
            raise CheckpointError(f"'{path}': its '{key}' is not a dict.")
    return checkpoint


def load_from_local(
    filename: str,
    map_location: Any = 'cpu',  # noqa: ANN401
) -> dict[str, Any]:
    """Read a local file for MMEngine, which logs the last part of this name."""
    return read_checkpoint(filename, map_location)


def use_safe_loading() -> None:
    """Make MMEngine read local checkpoints with :func:`read_checkpoint`.

    MMEngine's own function falls back to ``weights_only=False``.
    """
    CheckpointLoader.register_scheme('', loader=load_from_local, force=True)

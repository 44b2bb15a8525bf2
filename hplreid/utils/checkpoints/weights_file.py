"""Weights and where they come from in one safetensors file, with a checksum."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ..atomic_files import atomic_path

# Keys of the metadata
_KEY = 'hplreid'
_CHECKSUM = 'sha256'


def write_weights(
    path: str | Path, weights: Mapping[str, Tensor], meta: Mapping[str, Any]
) -> None:
    """Write weights with metadata, and a SHA-256 of both.

    Args:
        path: The file, ``*.safetensors``.
        weights: By name.
        meta: Values that JSON can hold; ``dataset_meta['label_of']`` may have any
            identities as keys.

    Example:
        >>> import torch
        >>> write_weights('final.safetensors', {'a': torch.ones(2)}, {'epoch': 3})
        >>> read_weights('final.safetensors')
        {'state_dict': {'a': tensor([1., 1.])}, 'meta': {'epoch': 3}}
    """
    meta = dict(meta)
    if 'label_of' in (meta.get('dataset_meta') or {}):
        labels = meta['dataset_meta']['label_of']
        meta['dataset_meta'] = {**meta['dataset_meta'], 'label_of': [*labels.items()]}
    # Of their own: safetensors refuses weights that share memory
    tensors = {k: v.detach().cpu().contiguous().clone() for k, v in weights.items()}
    text = json.dumps(meta)
    metadata = {_KEY: text, _CHECKSUM: checksum(tensors, text)}
    with atomic_path(path) as temporary:
        # save_file would make a file that only its owner can read
        temporary.write_bytes(save(tensors, metadata))


def read_weights(path: str | Path) -> dict[str, Any]:
    """Read what :func:`write_weights` wrote, in the form of a checkpoint.

    Returns:
        ``state_dict``, and ``meta``, which is empty for a file of other origin.

    Raises:
        ValueError: The file is damaged. One of other origin, without a SHA-256, may be
            so without being noticed.
    """
    try:
        with safe_open(path, 'pt') as file:
            weights = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            metadata = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise ValueError(
            f'it is damaged, or not in the format of safetensors ({error})'
        ) from error
    text = metadata.get(_KEY, '{}')
    expected = metadata.get(_CHECKSUM)
    if expected is not None and expected != checksum(weights, text):
        raise ValueError('it is damaged: its checksum (SHA-256) is another')
    try:
        meta = json.loads(text)
        labels = (meta.get('dataset_meta') or {}).get('label_of')
        if labels is not None:
            meta['dataset_meta']['label_of'] = {_identity(k): v for k, v in labels}
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"it is damaged: its metadata can't be read ({error})") from (
            error
        )
    return dict(state_dict=weights, meta=meta)


def checksum(weights: Mapping[str, Tensor], text: str) -> str:
    """Return the SHA-256 of a text, and of the name, type, shape and bytes of tensors.

    Args:
        weights: Contiguous, on the CPU, in any order.
        text: The metadata.
    """
    digest = hashlib.sha256(text.encode())
    for name, value in sorted(weights.items()):
        digest.update(f'\n{name} {value.dtype} {tuple(value.shape)} '.encode())
        digest.update(value.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _identity(value: Any) -> Any:  # noqa: ANN401
    """Return a key of a dict as it was before JSON, which has no tuples."""
    return tuple(value) if isinstance(value, list) else value

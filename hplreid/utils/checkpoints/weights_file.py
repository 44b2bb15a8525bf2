"""Weights and where they come from in one safetensors file."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ..atomic_files import atomic_path

_KEY = 'hplreid'  # of the metadata


def write_weights(
    path: str | Path, weights: Mapping[str, Tensor], meta: Mapping[str, Any]
) -> None:
    """Write weights with metadata.

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
    with atomic_path(path) as temporary:
        # save_file would make a file that only its owner can read
        temporary.write_bytes(save(tensors, {_KEY: json.dumps(meta)}))


def read_weights(path: str | Path) -> dict[str, Any]:
    """Read what :func:`write_weights` wrote, in the form of a checkpoint.

    Returns:
        ``state_dict``, and ``meta``, which is empty for a file of other origin.

    Raises:
        ValueError: The file is damaged.
    """
    try:
        with safe_open(path, 'pt') as file:
            weights = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            meta = json.loads((file.metadata() or {}).get(_KEY, '{}'))
    except SafetensorError as error:
        raise ValueError(str(error)) from error
    labels = (meta.get('dataset_meta') or {}).get('label_of')
    if labels is not None:
        meta['dataset_meta']['label_of'] = {_identity(k): v for k, v in labels}
    return dict(state_dict=weights, meta=meta)


def _identity(value: Any) -> Any:  # noqa: ANN401
    """Return a key of a dict as it was before JSON, which has no tuples."""
    return tuple(value) if isinstance(value, list) else value

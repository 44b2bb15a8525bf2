"""Hashes that tell whether two evaluations had the same weights, config and data."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from torch import nn

# Keys of a config that say where a run writes and how it began, not what it computes
_NOT_HASHED = ('work_dir', 'experiment_name', 'filename', 'resume', 'load_from')
_ITEM_KEYS = ('pid', 'camid', 'caption', 'split')


def hash_file(path: str | Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal.

    Example:
        >>> _ = Path('a.txt').write_text('hplreid')
        >>> hash_file('a.txt')[:8]
        'a5176a9f'
    """
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def hash_weights(model: nn.Module) -> str:
    """Return the SHA-256 of names, types, shapes and values of a model's state.

    Unlike the hash of a file it is the same for one set of weights in a checkpoint with
    its optimizer and in a file of weights alone.

    Example:
        >>> model = nn.Linear(2, 2)
        >>> before = hash_weights(model)
        >>> with torch.no_grad():
        ...     _ = model.bias.add_(1)
        >>> hash_weights(model) == before
        False
    """
    digest = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        if not isinstance(value, torch.Tensor):  # what get_extra_state returned
            digest.update(f'{name} {value!r}\n'.encode())
            continue
        digest.update(f'{name} {value.dtype} {tuple(value.shape)}\n'.encode())
        # As bytes: NumPy has no bfloat16
        flat = value.detach().cpu().contiguous().flatten().view(torch.uint8)
        digest.update(flat.numpy().data)
    return digest.hexdigest()


def hash_config(config: Config) -> str:
    """Return the SHA-256 of what a config's run computes.

    The work folder, the name of the experiment and what the run resumes don't count.

    Example:
        >>> a, b = (Config(dict(seed=1, work_dir=folder)) for folder in 'ab')
        >>> hash_config(a) == hash_config(b)
        True
    """
    values = {k: v for k, v in config.to_dict().items() if k not in _NOT_HASHED}
    text = json.dumps(values, sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()


def hash_dataset(dataset: Any) -> str | None:  # noqa: ANN401
    """Return the SHA-256 of paths, identities, cameras, captions and splits of a set.

    Paths count from the folder that all images share, so that the hash is the same on
    every machine. Contents of images don't count.

    Args:
        dataset: Its ``get_data_info(index)`` gives an item.

    Returns:
        The hash; None for a dataset that doesn't list its items.

    Example:
        >>> from hplreid.datasets.items import ItemDataset
        >>> item = dict(img_path='/data/a/1.jpg', pid=7, label=-1, caption=None)
        >>> moved = dict(item, img_path='/mnt/a/1.jpg')
        >>> a, b = (ItemDataset([i], [], {}) for i in (item, moved))
        >>> hash_dataset(a) == hash_dataset(b)
        True
    """
    if not hasattr(dataset, 'get_data_info'):
        return None
    items = [dataset.get_data_info(index) for index in range(len(dataset))]
    paths = [item['img_path'] and os.path.abspath(item['img_path']) for item in items]
    try:
        shared = os.path.commonpath({os.path.dirname(path) for path in paths if path})
    except ValueError:  # no images, or images on several drives of Windows
        shared = ''
    digest = hashlib.sha256()
    for path, item in zip(paths, items, strict=True):
        name = path and path.removeprefix(shared).replace('\\', '/').lstrip('/')
        row = [name, *map(item.get, _ITEM_KEYS)]
        digest.update(json.dumps(row, default=str).encode() + b'\n')
    return digest.hexdigest()

"""Which identities a training set has, and which label each of them."""

import hashlib
from pathlib import Path
from typing import Any

from torch.utils.data import Dataset

from hplreid.utils.checkpoints.checkpoint import to_plain


def get_identity_map(dataset: Dataset) -> dict | None:
    """Return ``metainfo['label_of']`` of a dataset: a label by identity, or None."""
    metainfo = getattr(dataset, 'metainfo', None) or {}
    mapping = metainfo.get('label_of')
    return None if mapping is None else to_plain(mapping)


def fingerprint_identities(dataset: Any) -> str | None:  # noqa: ANN401
    """Return a SHA-256 that tells the people of a training set from others.

    Numbers don't tell: in two datasets the identities may be 1 to 12. Of each identity
    the first image by its name is looked at, its name and the size of its file, so
    that a copy of the dataset has the same fingerprint.

    Args:
        dataset: The training set, or one of features that were computed from it.

    Returns:
        The SHA-256, None for a dataset without images.
    """
    dataset = getattr(dataset, 'dataset', dataset)
    if not hasattr(dataset, 'get_data_info'):
        return None
    first: dict[int, Path] = {}
    for index in range(len(dataset)):
        item = dataset.get_data_info(index)
        if item.get('img_path') is not None:
            path, label = Path(item['img_path']), item['label']
            first[label] = min(first.get(label, path), path, key=lambda p: p.name)
    digest = hashlib.sha256()
    for label, path in sorted(first.items()):
        # The file may be gone where images come from a cache
        size = path.stat().st_size if path.is_file() else None
        digest.update(f'{label} {path.name} {size}\n'.encode())
    return digest.hexdigest() if first else None


def describe_map_difference(old: dict, new: dict) -> str:
    """Describe how two identity maps differ, with up to three examples of each kind."""
    missing = [k for k in old if k not in new]
    added = [k for k in new if k not in old]
    relabeled = [k for k in old if k in new and old[k] != new[k]]
    parts = [
        f'{len(keys)} {what} (such as {", ".join(map(str, keys[:3]))})'
        for keys, what in (
            (missing, 'identities are missing'),
            (added, 'identities are new'),
            (relabeled, 'identities have another label'),
        )
        if keys
    ]
    return '; '.join(parts)

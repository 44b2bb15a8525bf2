"""Features with paths and ids in one file: safetensors or Parquet."""

import json
import os
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from hplreid.utils.atomic_files import atomic_path
from hplreid.utils.user_error import UserError

from .listing import Entry

SUFFIXES = ('.safetensors', '.parquet')


class FeatureTableError(UserError, ValueError):
    """A file of features can't be written, or read, as it was asked for."""


def check_format(path: Path) -> None:
    """Check that a file of features can be written by that name.

    Raises:
        FeatureTableError: It ends otherwise, or pyarrow is missing.

    Example:
        >>> check_format(Path('a.safetensors'))
    """
    if path.suffix not in SUFFIXES:
        raise FeatureTableError(
            f"OUT='{path}': expected a name that ends in {' or '.join(SUFFIXES)}."
        )
    if path.suffix == '.parquet':
        _import_parquet()


def write_feature_table(
    path: Path,
    entries: Sequence[Entry],
    features: np.ndarray,
    meta: Mapping[str, Any],
) -> None:
    """Write features, whole or not at all.

    A safetensors has ``features`` ``(N, d)`` float32 and ``camid`` ``(N,)`` int64, and
    in its metadata the lists ``path`` and ``pid`` as JSON, and ``extraction``. A
    Parquet has a row for each image, with these columns.

    Args:
        path: The file; its ending says which.
        entries: Whose features.
        features: ``(N, d)``.
        meta: Where they come from, in values that JSON can hold.
    """
    camids = [entry.camid for entry in entries]
    with atomic_path(path) as temporary:
        if path.suffix == '.parquet':
            arrow = import_module('pyarrow')
            flat = arrow.array(features.reshape(-1))
            table = arrow.table(
                dict(
                    path=[entry.path for entry in entries],
                    pid=[entry.pid for entry in entries],
                    camid=arrow.array(camids, arrow.int64()),
                    features=arrow.FixedSizeListArray.from_arrays(
                        flat, features.shape[1]
                    ),
                )
            ).replace_schema_metadata({'extraction': json.dumps(meta)})
            _import_parquet().write_table(table, temporary)
            return
        save_file(
            dict(
                features=torch.from_numpy(features).contiguous(),
                camid=torch.tensor(camids, dtype=torch.int64),
            ),
            temporary,
            metadata=dict(
                path=json.dumps([entry.path for entry in entries]),
                pid=json.dumps([entry.pid for entry in entries]),
                extraction=json.dumps(meta),
            ),
        )
        temporary.chmod(0o666 & ~_umask())


def read_feature_table(path: str | Path) -> tuple[list[Entry], np.ndarray, dict]:
    """Read what ``tools/extract_features.py`` wrote.

    Returns:
        The images; their features ``(N, d)`` float32; where they come from.

    Raises:
        FeatureTableError: It ends otherwise, or pyarrow is missing.

    Example:
        >>> features = np.eye(2, dtype=np.float32)
        >>> entries = [Entry('a.png', '7', 0), Entry('b.png')]
        >>> write_feature_table(Path('a.safetensors'), entries, features, {})
        >>> read_feature_table('a.safetensors')[0][0]
        Entry(path='a.png', pid='7', camid=0)
    """
    path = Path(path)
    check_format(path)
    if path.suffix == '.parquet':
        table = _import_parquet().read_table(path)
        columns = [table[name].to_pylist() for name in ('path', 'pid', 'camid')]
        features = np.array(table['features'].to_pylist(), dtype=np.float32)
        meta = json.loads(table.schema.metadata[b'extraction'])
    else:
        with safe_open(path, 'pt') as file:
            features = file.get_tensor('features').numpy()
            camids = file.get_tensor('camid').tolist()
            notes = file.metadata()
        columns = [json.loads(notes['path']), json.loads(notes['pid']), camids]
        meta = json.loads(notes['extraction'])
    return [Entry(*row) for row in zip(*columns, strict=True)], features, meta


def _import_parquet() -> Any:  # noqa: ANN401
    try:
        return import_module('pyarrow.parquet')
    except ImportError as error:
        raise FeatureTableError(
            'Parquet files need pyarrow, which is not installed: pip install '
            "'hplreid[parquet]', or choose a name that ends in .safetensors."
        ) from error


def _umask() -> int:
    """Return the mask of new files; save_file makes one that only its owner reads."""
    mask = os.umask(0)
    os.umask(mask)
    return mask

"""Features in parts, each written whole: a killed extraction goes on where it was."""

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hplreid.utils.atomic_files import remove_leftovers, write_json
from hplreid.utils.checkpoints.weights_file import read_weights, write_weights
from hplreid.utils.user_error import UserError

from .listing import Entry

_KEY = 'extraction.json'


class OtherExtractionError(UserError, ValueError):
    """What is unfinished is another extraction."""


class Parts:
    """The parts of an extraction, in ``<out>.parts`` until it's complete.

    Args:
        out: The file that they will become.
        key: What was asked for, in values that JSON can hold: parts of another key
            aren't taken.
        overwrite: Whether those of another key are removed.

    Raises:
        OtherExtractionError: There are parts of another key.
    """

    def __init__(self, out: Path, key: Mapping[str, Any], overwrite: bool) -> None:
        self.folder = out.with_name(f'{out.name}.parts')
        remove_leftovers(self.folder)
        found = self._read_key()
        if found not in (None, dict(key)):
            if not overwrite:
                raise OtherExtractionError(
                    f"'{self.folder}' has an unfinished extraction of "
                    f'{_describe(found)}; this one is of {_describe(key)}. Give '
                    '--overwrite to begin anew, or another OUT.'
                )
            shutil.rmtree(self.folder)
        write_json(self.folder / _KEY, key)

    def _read_key(self) -> dict[str, Any] | None:
        try:
            return json.loads((self.folder / _KEY).read_text('utf-8'))
        except FileNotFoundError:
            return None
        except ValueError:
            return {}

    def path(self, number: int) -> Path:
        """Return the file of a part."""
        return self.folder / f'{number:06d}.safetensors'

    def is_done(self, number: int) -> bool:
        """Return whether a part is written; it's whole then."""
        return self.path(number).is_file()

    def write(
        self,
        number: int,
        features: np.ndarray,
        rows: Sequence[int],
        failures: Mapping[str, str],
    ) -> None:
        """Write a part.

        Args:
            number: Its number, from 0.
            features: ``(B, d)``.
            rows: Positions of their images in the list, ``(B,)``.
            failures: Images that can't be read, and why.
        """
        tensors = dict(
            features=torch.from_numpy(features),
            rows=torch.tensor(list(rows), dtype=torch.int64),
        )
        write_weights(self.path(number), tensors, dict(failures=dict(failures)))

    def read(
        self, numbers: Iterable[int]
    ) -> tuple[np.ndarray, np.ndarray, dict[str, str]]:
        """Return features, positions and failures of all parts, joined.

        Raises:
            ValueError: A part is damaged.
        """
        features, rows, failures = [], [], {}
        for number in numbers:
            part = read_weights(self.path(number))
            failures.update(part['meta']['failures'])
            if len(part['state_dict']['rows']):
                features.append(part['state_dict']['features'].numpy())
                rows.append(part['state_dict']['rows'].numpy())
        if not features:
            return np.empty((0, 0), np.float32), np.empty(0, np.int64), failures
        return np.concatenate(features), np.concatenate(rows), failures

    def remove(self) -> None:
        """Remove them, once they are joined."""
        shutil.rmtree(self.folder, ignore_errors=True)


def hash_entries(entries: Sequence[Entry]) -> str:
    """Return the SHA-256 of a list of images.

    Example:
        >>> hash_entries([Entry('a.png')])[:8]
        'ffc41e27'
    """
    digest = hashlib.sha256()
    for entry in entries:
        digest.update(json.dumps(entry).encode() + b'\n')
    return digest.hexdigest()


def _describe(key: Mapping[str, Any]) -> str:
    return (
        f'{key.get("images", "?")} images for {key.get("task", "?")} by the weights '
        f'{str(key.get("weights_sha256"))[:12]}'
    )

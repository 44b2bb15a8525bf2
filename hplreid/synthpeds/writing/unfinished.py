"""The folder of a dataset that is being written, and what of it is finished."""

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .layouts import Shot

# Shots that are rendered together: enough to be fast, few enough to keep all workers
# busy until the end, and little work to lose.
CHUNK = 10


def write_whole(path: Path, data: bytes, scratch: Path) -> None:
    """Write a file that is never seen half written.

    Args:
        path: The file.
        data: Its content.
        scratch: Folder on the same disk for the unfinished file.
    """
    unfinished = scratch / f'{os.getpid()}.{path.name}'
    try:
        unfinished.write_bytes(data)
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


@dataclass(frozen=True)
class Unfinished:
    """A dataset that is being written beside its place.

    Its folder is named for all settings of the dataset, so that a start with the same
    settings finds what an earlier one left, and one with others begins anew.

    Args:
        out: Folder that the dataset will have.
        folder: Folder of the work, on the same disk.
    """

    out: Path
    folder: Path

    @classmethod
    def beside(cls, out: Path, settings: dict[str, Any]) -> 'Unfinished':
        """Return the work on a dataset with the given place and settings.

        Args:
            out: Folder that the dataset will have.
            settings: From :func:`~.manifest.dataset_settings`.
        """
        text = json.dumps(settings, sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:8]
        return cls(out, out.parent / f'.{out.name}.{digest}.partial')

    @property
    def root(self) -> Path:
        """Folder that becomes the dataset."""
        return self.folder / 'dataset'

    @property
    def scratch(self) -> Path:
        """Folder of files that are being written."""
        return self.folder / 'scratch'

    def _captions_path(self, first: int) -> Path:
        return self.folder / 'captions' / f'{first:07d}.json'

    def prepare(self, shots: list[Shot]) -> None:
        """Make the folders, and remove files that an earlier start left half written.

        Args:
            shots: All images of the dataset.
        """
        shutil.rmtree(self.scratch, ignore_errors=True)
        self._captions_path(0).parent.mkdir(parents=True, exist_ok=True)
        self.scratch.mkdir(exist_ok=True)
        for name in {str(Path(path).parent) for shot in shots for path in shot.paths}:
            (self.root / name).mkdir(parents=True, exist_ok=True)

    def save_captions(self, first: int, captions: list[list[str]]) -> None:
        """Mark a chunk as finished, after all its images are written.

        Args:
            first: Position of the chunk's first shot among all.
            captions: Captions of each shot.
        """
        data = json.dumps(captions).encode()
        write_whole(self._captions_path(first), data, self.scratch)

    def finished(self, first: int, shots: Sequence[Shot]) -> list[list[str]] | None:
        """Return the captions of a chunk, or None if it isn't finished.

        Args:
            first: Position of the chunk's first shot among all.
            shots: The shots of the chunk.
        """
        path = self._captions_path(first)
        if not path.is_file():
            return None
        paths = [name for shot in shots for name in shot.paths]
        if not all((self.root / name).is_file() for name in paths):
            return None
        captions: list[list[str]] = json.loads(path.read_text())
        return captions

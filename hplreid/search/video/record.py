"""What was found in a video, frame by frame, so that a killed run goes on."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hplreid.utils.atomic_files import atomic_path

from ..errors import VideoError

RECORD = 'people.jsonl'


class Record:
    """The people of a video's frames, in ``people.jsonl`` beside their images.

    The first line has the settings, each other one a frame; the last says that it's
    complete. Half a line, which a kill may leave, is removed.

    Args:
        folder: Where the images are.
        settings: What decides which people are found, in values that JSON can hold.

    Raises:
        VideoError: The folder has what other settings found.

    Example:
        >>> record = Record(Path('walk'), dict(every=1.0))
        >>> record.add(dict(frame=0, people=[]))
        >>> Record(Path('walk'), dict(every=1.0)).lines
        [{'frame': 0, 'people': []}]
        >>> Record(Path('walk'), dict(every=2.0))
        Traceback (most recent call last):
        ...
        hplreid...VideoError: 'walk' has people that were cut out with every=1.0, ...
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self.path = folder / RECORD
        self.lines: list[dict[str, Any]] = []
        if self.path.is_file():
            self._read(dict(settings))
        else:
            with atomic_path(self.path) as temporary:
                temporary.write_text(json.dumps(dict(settings)) + '\n', 'utf-8')

    def _read(self, settings: dict[str, Any]) -> None:
        data = self.path.read_bytes()
        whole = data[: data.rfind(b'\n') + 1]
        try:
            before, *self.lines = [json.loads(line) for line in whole.splitlines()]
        except ValueError:
            raise VideoError(
                f"'{self.path}' is damaged: remove its folder, and cut people out anew."
            ) from None
        for name, value in settings.items():
            if before.get(name) != value:
                raise VideoError(
                    f"'{self.path.parent}' has people that were cut out with "
                    f'{name}={before.get(name)}, not {value}: remove the folder to '
                    'begin anew, or give another --root.'
                )
        if len(whole) < len(data):
            os.truncate(self.path, len(whole))

    @property
    def done(self) -> bool:
        """Whether all frames are there."""
        return bool(self.lines) and 'end' in self.lines[-1]

    def add(self, line: dict[str, Any]) -> None:
        """Keep a frame, whose images are written; or the end."""
        with self.path.open('a', encoding='utf-8') as file:
            file.write(json.dumps(line) + '\n')
            file.flush()
            os.fsync(file.fileno())
        self.lines.append(line)

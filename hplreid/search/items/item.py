"""What a gallery has: an image of a person, and what is known of it."""

import base64
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from ..errors import ItemError

Box = tuple[int, int, int, int]
"""Left, top, width and height of a person in an image, pixels."""

_LONGEST = 1024  # characters of an id, and of a path on most systems
_TEXTS = ('camera', 'track', 'source')


@dataclass(frozen=True)
class Item:
    """An image of a gallery, and what is known of it.

    Attributes:
        id: Its name, unique in a gallery. Equal scores are ordered by it.
        path: File, relative to the gallery's root, with ``/``.
        thumbnail: A small image, JPEG or PNG, for what has no file.
        camera: Name of the camera.
        time: Seconds since 1970, UTC; of a video without a date, since its start.
        box: Where the person is in the file; None if all of it is the person.
        track: Name of a track of one person.
        source: Name of the video, folder or dataset.
        meta: Whatever else, in values that JSON can hold.

    Raises:
        ItemError: A value is of another kind, or the path leads out of the root.

    Example:
        >>> Item('1', 'north/1.jpg', camera='north', time=12.5).camera
        'north'
        >>> Item('2', '../secret.jpg')
        Traceback (most recent call last):
        ...
        hplreid...ItemError: Item '2': path='../secret.jpg' leads out of the ...
    """

    id: str
    path: str | None = None
    thumbnail: bytes | None = None
    camera: str | None = None
    time: float | None = None
    box: Box | None = None
    track: str | None = None
    source: str | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.id, str) or not 0 < len(self.id) <= _LONGEST:
            raise ItemError(
                f'An item has id={self.id!r}: expected text of 1 to {_LONGEST} '
                'characters.'
            )
        if self.path is not None:
            check_path(self.path, f'Item {self.id!r}: ')
        if self.thumbnail is not None and not isinstance(self.thumbnail, bytes):
            raise self._wrong('thumbnail', 'the bytes of an image file')
        for name in _TEXTS:
            if not isinstance(getattr(self, name), str | None):
                raise self._wrong(name, 'text')
        if self.time is not None and not _is_number(self.time):
            raise self._wrong('time', 'seconds, as a number')
        if self.box is not None:
            self._check_box()
        self._check_meta()

    def _check_box(self) -> None:
        box: Any = self.box
        whole = isinstance(box, list | tuple) and all(type(v) is int for v in box)
        if not whole or len(box) != 4 or min(box[:2]) < 0 or min(box[2:]) < 1:
            raise self._wrong('box', 'whole (left, top, width, height), pixels')
        object.__setattr__(self, 'box', tuple(box))

    def _check_meta(self) -> None:
        try:
            if not isinstance(self.meta, Mapping):
                raise TypeError
            json.dumps(dict(self.meta), allow_nan=False)
        except (TypeError, ValueError):
            raise self._wrong('meta', 'a dict of values that JSON can hold') from None

    def _wrong(self, name: str, expected: str) -> ItemError:
        value = repr(getattr(self, name))
        shown = value if len(value) < 60 else f'{value[:57]}...'
        return ItemError(f'Item {self.id!r}: {name}={shown}, expected {expected}.')

    def to_payload(self) -> dict[str, Any]:
        """Return it in values that JSON can hold, without what isn't known."""
        values: dict[str, Any] = dict(
            id=self.id,
            path=self.path,
            camera=self.camera,
            time=None if self.time is None else float(self.time),
            box=None if self.box is None else list(self.box),
            track=self.track,
            source=self.source,
            meta=dict(self.meta) or None,
        )
        if self.thumbnail is not None:
            values['thumbnail'] = base64.b64encode(self.thumbnail).decode()
        return {name: value for name, value in values.items() if value is not None}

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> 'Item':
        """Return the item that :meth:`to_payload` was of."""
        values = dict(payload)
        if 'thumbnail' in values:
            values['thumbnail'] = base64.b64decode(values['thumbnail'])
        return cls(**values)


def check_path(path: str, where: str = '') -> None:
    """Check that a path stays in the folder that it's relative to.

    Raises:
        ItemError: It is no path, is absolute, or leads out by ``..``.

    Example:
        >>> check_path('a/b.jpg')
    """
    text = path if isinstance(path, str) else ''
    parts = PurePosixPath(text.replace('\\', '/'))
    if not text.strip() or '\0' in text or len(text) > _LONGEST:
        raise ItemError(f'{where}path={path!r} is no path.')
    if parts.is_absolute() or '..' in parts.parts or ':' in parts.parts[0]:
        raise ItemError(
            f"{where}path={path!r} leads out of the gallery's root: expected a path "
            'that is relative to it, without `..`.'
        )


def _is_number(value: Any) -> bool:  # noqa: ANN401
    kind = isinstance(value, int | float) and not isinstance(value, bool)
    return kind and math.isfinite(value)

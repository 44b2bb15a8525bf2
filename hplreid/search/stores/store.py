"""What a gallery asks of a database."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from ..filters import Filters

_NAMESPACE = uuid.UUID('7a4cf5a2-4b0e-5b1c-9d5b-2f6d1f1f8f10')
MANIFEST = 'gallery.json'
"""File with the manifest, in the folder of an embedded gallery."""
KEYWORDS = ('camera', 'source', 'id')
"""Fields of a payload that are looked up by their value."""


class Point(NamedTuple):
    """An item as a database has it.

    Attributes:
        payload: Its values; ``id`` among them.
        vectors: Features by the name of their space, float32 ``(d,)``.
    """

    payload: dict[str, Any]
    vectors: Mapping[str, np.ndarray]


class Candidate(NamedTuple):
    """A point that is near, and its dot product."""

    point: Point
    score: float


class Store(Protocol):
    """A database with a few named vectors and a payload for each point.

    What ``upsert`` and ``remove`` have returned from is kept, however the process dies.
    """

    url: str

    def read_manifest(self) -> dict[str, Any]:
        """Return what is known of all points."""

    def write_manifest(self, manifest: Mapping[str, Any]) -> None:
        """Replace what is known of all points, whole or not at all."""

    def upsert(self, points: Sequence[Point]) -> None:
        """Add points, or replace those of the same id."""

    def remove(self, ids: Sequence[str]) -> None:
        """Remove points; ids that aren't there are no error."""

    def fetch(self, ids: Sequence[str], vectors: bool = False) -> list[Point]:
        """Return those of some points that are there, in no order."""

    def scroll(self, vectors: bool = False, size: int = 1000) -> Iterator[list[Point]]:
        """Yield all points, some at a time."""

    def count(self, filters: Filters | None = None) -> int:
        """Return the number of points that filters let through."""

    def nearest(
        self,
        space: str,
        vector: np.ndarray,
        limit: int,
        filters: Filters | None = None,
        *,
        exact: bool = True,
        vectors: bool = False,
    ) -> list[Candidate]:
        """Return the points with the largest dot products, descending."""

    def values(self, name: str) -> dict[str, int]:
        """Return the values of a field of :data:`KEYWORDS`, and how often each is."""

    def build_index(self) -> None:
        """Build what approximate searches go through."""

    def close(self) -> None:
        """Write what is pending, and let others open it."""


def point_id(id_: str) -> uuid.UUID:
    """Return the number under which a database has an item.

    Example:
        >>> point_id('a.jpg') == point_id('a.jpg') != point_id('b.jpg')
        True
    """
    return uuid.uuid5(_NAMESPACE, id_)

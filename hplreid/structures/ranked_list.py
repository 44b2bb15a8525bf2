"""Ranked lists: a query and its nearest gallery items."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Mark = Literal['match', 'mismatch', 'ignored']


@dataclass(frozen=True)
class RankedItem:
    """An image (``img_path``) or a caption, with its identity and camera."""

    img_path: str | None
    caption: str | None
    pid: int
    camid: int

    @classmethod
    def from_sample(cls, sample: Mapping[str, Any]) -> 'RankedItem':
        """Make an item of a data sample."""
        return cls(
            sample.get('img_path'),
            sample.get('caption'),
            sample['pid'],
            sample['camid'],
        )


@dataclass(frozen=True)
class RankedList:
    """A query and the gallery items nearest to it, nearest first.

    Attributes:
        query: The query.
        items: Gallery items.
        scores: One a gallery item: cosine similarity, or distance.
        marks: One a gallery item: ``'match'``, ``'mismatch'``, or ``'ignored'`` where
            the protocol leaves it out (same camera, or junk).
    """

    query: RankedItem
    items: tuple[RankedItem, ...]
    scores: tuple[float, ...]
    marks: tuple[Mark, ...]

"""What a search finds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .items import Item


@dataclass(frozen=True)
class Hit:
    """An item that was found.

    Attributes:
        item: The item.
        score: Its similarity to the query; see :class:`.Query`.
        far: The strictest measured false-accept rate that the score meets; None if it
            meets none, or thresholds don't apply.
        match: Whether the score reaches the threshold that was asked for; None where
            thresholds don't apply.
    """

    item: Item
    score: float
    far: float | None = None
    match: bool | None = None


@dataclass(frozen=True)
class Found:
    """The hits of a search, nearest first, equally near ones in the order of their ids.

    Attributes:
        query: What was searched for, in values that JSON can hold.
        hits: The hits.
        searched: Items that the filters let through.
        far: False-accept rate that was asked for; None where thresholds don't apply.
        threshold: The threshold at that rate.
        recall: None for an exact search; else the share of true hits that approximate
            searches of this gallery found when its index was built.

    Example:
        >>> found = Found({'words': ['a man']}, [Hit(Item('7', 'a.jpg'), 0.5)], 9)
        >>> found.rows()
        [{'rank': 1, 'score': 0.5, 'id': '7', 'path': 'a.jpg'}]
    """

    query: dict[str, Any]
    hits: Sequence[Hit]
    searched: int
    far: float | None = None
    threshold: float | None = None
    recall: float | None = None

    def rows(self) -> list[dict[str, Any]]:
        """Return one row for each hit, in values that JSON can hold."""
        rows = []
        for rank, hit in enumerate(self.hits, 1):
            row = dict(rank=rank, score=hit.score, **hit.item.to_payload())
            row.pop('thumbnail', None)
            if self.threshold is not None:
                row.update(match=hit.match, far=hit.far)
            rows.append(row)
        return rows

"""Groups of queries that are ranked together, with their matches."""

from dataclasses import dataclass

import numpy as np

from ..protocol import Protocol, positions_in_row
from ..threads import Map
from .ranking_result import MatchRanks


@dataclass
class QueryGroup:
    """Some queries, and the gallery items of their identities.

    A match has a row (its query) and a slot (which of that query's). Tables of
    ``(B, P)`` hold something of each; where a query has fewer than P, the rest is void.

    Attributes:
        queries: Which they are, ``(B,)``.
        pair_rows: Row of each pair of one identity, ``(N,)``.
        pair_columns: Gallery item of each, ascending, ``(N,)``.
        columns: Gallery item of each match, ``(B, P)``; void is -1.
        values: Its distance, ``(B, P)``, descending once measured; void is -inf.
        closer: Mismatches that rank before it, as far as counted, ``(B, P)``.
        tied: Of mismatches as far as it those before it in the gallery, which are in
            ``closer`` too, and those after it, ``(2, B, P)``.
    """

    queries: np.ndarray
    pair_rows: np.ndarray
    pair_columns: np.ndarray
    columns: np.ndarray
    values: np.ndarray
    closer: np.ndarray
    tied: np.ndarray

    @classmethod
    def make(cls, protocol: Protocol, queries: np.ndarray) -> 'QueryGroup':
        """Look up the pairs of some queries, with one of their identity at least."""
        rows, columns, ignored = protocol.pairs_of(queries)
        match_rows, match_columns = rows[~ignored], columns[~ignored]
        slots = positions_in_row(match_rows)
        shape = len(queries), int(slots.max(initial=-1)) + 1
        table = np.full(shape, -1)
        table[match_rows, slots] = match_columns
        order = np.argsort(columns)
        return cls(
            queries=queries,
            pair_rows=rows[order],
            pair_columns=columns[order],
            columns=table,
            values=np.full(shape, -np.inf),
            closer=np.zeros(shape, np.int64),
            tied=np.zeros((2, *shape), np.int64),
        )

    def pairs_between(self, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        """Return row and column of the pairs in a span of the gallery."""
        first, last = np.searchsorted(self.pair_columns, (start, stop))
        return self.pair_rows[first:last], self.pair_columns[first:last]

    def set_values(self, values: np.ndarray) -> None:
        """Take what was measured; put the farthest match of each query first.

        Of equally far ones that is the last of the gallery.
        """
        values = np.where(self.columns >= 0, values, -np.inf)
        # Slots are in the order of the gallery so far, and a stable sort keeps it
        order = np.argsort(values, axis=1, kind='stable')[:, ::-1]
        self.values = np.take_along_axis(values, order, axis=1)
        self.columns = np.take_along_axis(self.columns, order, axis=1)

    def ranks(self) -> MatchRanks:
        """Return the ranks of matches, ascending in a query."""
        number = (self.columns >= 0).sum(1, keepdims=True)
        closer_matches = number - 1 - np.arange(self.columns.shape[1])
        rows, places = np.nonzero(self.columns[:, ::-1] >= 0)
        tables = (
            self.closer + closer_matches + 1,
            self.closer - self.tied[0],
            self.tied.sum(axis=0),
        )
        return MatchRanks(
            self.queries[rows], *(table[:, ::-1][rows, places] for table in tables)
        )


def make_groups(
    protocol: Protocol,
    block_size: int,
    num_workers: int = 1,
    run: Map = map,
) -> list[QueryGroup]:
    """Divide the queries whose identity is in the gallery.

    Queries of one identity share their matches, and tables waste least if the
    numbers of these are alike, so they are sorted by both.

    Args:
        protocol: Who is a match to whom.
        block_size: Queries of a group, at most.
        num_workers: Each shall get as many groups as any other.
        run: Shares the work among them.

    Raises:
        ValueError: No query has a match.
    """
    numbers = protocol.count_pairs()
    present = np.flatnonzero(numbers)
    order = present[np.lexsort((protocol.query_pids[present], numbers[present]))]
    num_groups = -(-len(order) // block_size)
    num_groups = min(-(-num_groups // num_workers) * num_workers, len(order))
    parts = np.array_split(order, max(1, num_groups))
    groups = list(run(lambda part: QueryGroup.make(protocol, part), parts))
    if all(group.columns.shape[1] == 0 for group in groups):
        raise ValueError(protocol.explain_no_match())
    return groups

"""Which identities a model takes for which."""

from dataclasses import dataclass

import numpy as np

from ..files.feature_file import FeatureSet
from ..verification.pair_distances import PairValues
from .scored_features import protocol_arguments, zero_is_a_crowd


@dataclass(frozen=True)
class Confusion:
    """Queries of one identity whose nearest gallery item is of another one.

    Attributes:
        pid: Identity of the queries.
        other: Identity that is found.
        count: Number of such queries.
        total: Queries of ``pid`` that have a match.
        query: Row of the one that is surest of it: of the highest margin.
        rival: Row of the gallery item that it finds.
        match: Row of its nearest match.
        margin: By how much the rival is nearer than the match: of cosine similarity,
            or of the squared distance.
    """

    pid: int
    other: int
    count: int
    total: int
    query: int
    rival: int
    match: int
    margin: float


def find_confusions(features: FeatureSet) -> list[Confusion]:
    """Find pairs of identities that are confused, the most frequent first.

    Args:
        features: Features, compared by the protocol of their file.

    Returns:
        The pairs by count, then by margin. A query counts as confused if a mismatch is
        nearer than all its matches. Distractors of identity 0 are many people: a query
        that finds one is in no pair.

    Raises:
        ValueError: See :class:`.PairValues`.

    Example:
        >>> import numpy as np
        >>> pids = np.array([1, 2])
        >>> features = FeatureSet(np.eye(2), np.eye(2)[::-1].copy(), pids, pids)
        >>> [(c.pid, c.other, c.count) for c in find_confusions(features)]
        [(1, 2, 1), (2, 1, 1)]
    """
    pairs = PairValues(**protocol_arguments(features))
    kept, pids = pairs.protocol.kept, pairs.protocol.gallery_pids
    crowd = zero_is_a_crowd(features)
    totals: dict[int, int] = {}
    found: dict[tuple[int, int], list[tuple[float, int, int, int]]] = {}
    begin = 0
    for block in pairs.blocks():
        matches = np.full(block.values.shape, np.inf)
        counted = ~block.ignored
        own = block.rows[counted], block.columns[counted]
        matches[own] = block.values[own]
        block.values[block.rows, block.columns] = np.inf
        nearest, rivals = matches.argmin(1), block.values.argmin(1)
        for row in np.flatnonzero(np.isfinite(matches.min(1))):
            pid = int(features.query_pids[begin + row])
            totals[pid] = totals.get(pid, 0) + 1
            margin = matches[row, nearest[row]] - block.values[row, rivals[row]]
            other = int(pids[rivals[row]])
            if margin > 0 and not (other == 0 and crowd):
                case = (
                    float(margin),
                    int(begin + row),
                    int(kept[rivals[row]]),
                    int(kept[nearest[row]]),
                )
                found.setdefault((pid, other), []).append(case)
        begin += len(block.values)
    confusions = [
        Confusion(pid, other, len(cases), totals[pid], query, rival, match, margin)
        for (pid, other), cases in found.items()
        for margin, query, rival, match in [max(cases)]
    ]
    return sorted(confusions, key=lambda c: (-c.count, -c.margin))

"""Labels that features contradict: two identities that may be one, items of another.

All compare mean cosine similarities. A suspect is a case to look at, no verdict: people
in the same clothes are suspected, too.
"""

from dataclasses import dataclass

import numpy as np

from ..protocol import JUNK_PID


@dataclass(frozen=True)
class PairSuspect:
    """Two identities that may be one person.

    Attributes:
        pids: The identities.
        between: Mean cosine similarity of their items with each other's.
        within: That among the items of each, the mean of the two.
        items: Rows of the two items, one of each, that are most similar.
    """

    pids: tuple[int, int]
    between: float
    within: float
    items: tuple[int, int]


@dataclass(frozen=True)
class ItemSuspect:
    """An item that may be of another identity.

    Attributes:
        item: Its row.
        pid: Its identity.
        other: The identity that it is most similar to.
        own: Mean cosine similarity to the other items of its identity.
        theirs: That to the items of the other one.
    """

    item: int
    pid: int
    other: int
    own: float
    theirs: float


def suspect_pairs(
    feats: np.ndarray, pids: np.ndarray, num: int = 10
) -> list[PairSuspect]:
    """Find identities that look as alike as images of one of them do.

    Args:
        feats: Features of one modality, ``(N, D)``.
        pids: Identities, ``(N,)``; -1 is left out.
        num: How many, at most.

    Returns:
        The pairs whose similarity exceeds that within one of them; first those of which
        it is the nearest to, or most above, that within both on average. Each needs two
        items at least.

    Example:
        >>> import numpy as np
        >>> same = [[1, 0.1], [1, -0.1], [1, 0.2], [1, 0.0]]
        >>> feats = np.array([*same, [0, 1], [0.1, 1]])
        >>> (pair,) = suspect_pairs(feats, np.array([1, 1, 2, 2, 3, 3]))
        >>> pair.pids
        (1, 2)
    """
    items, index, names, sums, counts = _sum_identities(feats, pids)
    enough = counts > 1
    own = (sums**2).sum(1)
    within = np.full(len(names), np.inf)
    within[enough] = (own - counts)[enough] / (counts * (counts - 1))[enough]
    between = (sums @ sums.T) / np.outer(counts, counts)
    a, b = np.nonzero(np.triu(between > np.minimum(within[:, None], within), 1))
    known = enough[a] & enough[b]
    a, b = a[known], b[known]
    excess = between[a, b] - (within[a] + within[b]) / 2
    order = np.argsort(-excess, kind='stable')[:num]
    suspects = []
    for i, j in zip(a[order], b[order], strict=True):
        left, right = np.flatnonzero(index == i), np.flatnonzero(index == j)
        products = items.feats[left] @ items.feats[right].T
        place = np.unravel_index(products.argmax(), products.shape)
        rows = items.rows[left[place[0]]], items.rows[right[place[1]]]
        suspects.append(
            PairSuspect(
                (int(names[i]), int(names[j])),
                float(between[i, j]),
                float((within[i] + within[j]) / 2),
                (int(rows[0]), int(rows[1])),
            )
        )
    return suspects


def suspect_items(
    feats: np.ndarray, pids: np.ndarray, num: int = 10
) -> list[ItemSuspect]:
    """Find items that are more similar to another identity than to their own.

    Args:
        feats: Features of one modality, ``(N, D)``.
        pids: Identities, ``(N,)``; -1 is left out.
        num: How many, at most.

    Returns:
        The items by how much the other identity is more similar. Only identities of
        three items or more are judged, and taken for another: of two neither is odd.

    Example:
        >>> import numpy as np
        >>> feats = np.repeat(np.eye(2), 4, axis=0)
        >>> (item,) = suspect_items(feats, np.array([1, 1, 1, 2, 2, 2, 2, 2]))
        >>> item.item, item.pid, item.other
        (3, 2, 1)
    """
    items, index, names, sums, counts = _sum_identities(feats, pids)
    means = items.feats @ sums.T / counts
    every = np.arange(len(index))
    size = counts[index]
    own = np.full(len(index), np.inf)
    judged = size > 2
    own[judged] = (means[every, index] * size - 1)[judged] / (size - 1)[judged]
    means[every, index] = -np.inf
    means[:, counts <= 2] = -np.inf
    other = means.argmax(1)
    excess = means[every, other] - own
    order = np.argsort(-excess, kind='stable')[:num]
    return [
        ItemSuspect(
            int(items.rows[row]),
            int(names[index[row]]),
            int(names[other[row]]),
            float(own[row]),
            float(means[row, other[row]]),
        )
        for row in order
        if excess[row] > 0
    ]


@dataclass(frozen=True)
class _Items:
    """Normalized features of the items that count, and their rows."""

    feats: np.ndarray
    rows: np.ndarray


def _sum_identities(
    feats: np.ndarray, pids: np.ndarray
) -> tuple[_Items, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return items, place of their identity, identities, sums of features, counts."""
    rows = np.flatnonzero(pids != JUNK_PID)
    chosen = np.asarray(feats, dtype=np.float64)[rows]
    norms = np.linalg.norm(chosen, axis=1, keepdims=True)
    chosen = chosen / np.maximum(norms, np.finfo(float).tiny)
    names, index = np.unique(pids[rows], return_inverse=True)
    sums = np.zeros((len(names), chosen.shape[1]))
    np.add.at(sums, index, chosen)
    return _Items(chosen, rows), index, names, sums, np.bincount(index).astype(float)

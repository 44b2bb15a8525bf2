"""Scores where matches tie with mismatches: exact means over the orders of equals.

Items that are equally far from a query rank in the order of the gallery, which means
nothing. Over all orders, each place of such a tie is as likely as any other for each of
its items, and what a score takes from a tie is a sum over its places.
"""

from collections.abc import Callable

import numpy as np

from .precision import precision_at

TIES = ('order', 'expected')


def mean_precisions(ties: np.ndarray, ap_definition: str) -> np.ndarray:
    """Return the mean precision at a match of a tie, ``(T,)``.

    At place p of a tie of a matches and b mismatches that n items precede, M of them
    matches, a match has M + 1 + (p - 1) (a - 1) / (a + b - 1) matches up to itself on
    average. Precision at a rank is linear in these.

    Args:
        ties: Items closer than it, matches among these, its matches, its mismatches;
            ``(T, 4)``.
        ap_definition: ``'step'`` or ``'trapezoid'``.

    Example:
        >>> mean_precisions(np.array([[0, 0, 1, 1]]), 'step').tolist()  # rank 1 or 2
        [0.75]
    """

    def mean_precision(closer: int, hits: int, matches: int, mismatches: int) -> float:
        size = matches + mismatches
        places = np.arange(size)
        hits_there = hits + 1 + places * ((matches - 1) / (size - 1))
        ranks = closer + 1 + places
        return float(precision_at(hits_there, ranks, ap_definition).mean())

    return _for_each(ties, mean_precision)


def mean_inverse_ranks(ties: np.ndarray) -> np.ndarray:
    """Return the mean inverse of the rank of a tie's last match, ``(T,)``.

    It is at place l of t with chance C(l - 1, a - 1) / C(t, a), which is a / t at the
    last place, and (l - a) / (l - 1) of that at l one place earlier.

    Args:
        ties: As in :func:`mean_precisions`.

    Example:
        >>> mean_inverse_ranks(np.array([[0, 0, 1, 1]])).tolist()  # of 1 and 1/2
        [0.75]
    """

    def mean_inverse(closer: int, _: int, matches: int, mismatches: int) -> float:
        size = matches + mismatches
        places = np.arange(size, matches - 1, -1)
        chances = np.full(len(places), matches / size)
        chances[1:] *= np.cumprod((places[:-1] - matches) / (places[:-1] - 1))
        return float((chances / (closer + places)).sum())

    return _for_each(ties, mean_inverse)


def hit_chances(ties: np.ndarray, last: int) -> np.ndarray:
    """Return how likely a match is among the first k, ``(T, last)`` from k = 1.

    Args:
        ties: Those of first matches, as in :func:`mean_precisions`.
        last: The greatest k.

    Example:
        >>> hit_chances(np.array([[1, 0, 1, 2]]), 4).round(2).tolist()
        [[0.0, 0.33, 0.67, 1.0]]
    """

    def chances(closer: int, _: int, matches: int, mismatches: int) -> np.ndarray:
        drawn = np.arange(max(0, last - closer))
        left = np.maximum(mismatches - drawn, 0)
        misses = np.cumprod(left / np.maximum(matches + mismatches - drawn, 1))
        return np.concatenate([np.zeros(min(closer, last)), 1 - misses])

    return _for_each(ties, chances).reshape(len(ties), last)


def _for_each(ties: np.ndarray, score: Callable[..., float | np.ndarray]) -> np.ndarray:
    """Call a function for each different tie; a collapsed model has few."""
    different, places = np.unique(ties, axis=0, return_inverse=True)
    scores = [score(*tie) for tie in different.tolist()]
    return np.array(scores, dtype=np.float64)[places.reshape(-1)]

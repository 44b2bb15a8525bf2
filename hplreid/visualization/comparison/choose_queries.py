"""Queries in which two models differ."""

import numpy as np

from ..figures import FigureError

CHOICES = ('gain', 'loss', 'random')


def choose_queries(
    first: np.ndarray,
    second: np.ndarray,
    choice: str = 'gain',
    num: int = 5,
    seed: int = 0,
) -> np.ndarray:
    """Choose queries by the difference of two models' scores.

    Args:
        first: A score of each query by the first model, ``(Q,)``; NaN where a query
            doesn't count.
        second: The same by the second model.
        choice: ``'gain'``: where the second is most above the first; ``'loss'``: most
            below; ``'random'``: drawn from all that count.
        num: How many; all, if fewer count. Ties are in the order of the queries.
        seed: Of the draw.

    Returns:
        Rows, ``(num,)``: the largest difference first, or ascending if drawn.

    Raises:
        FigureError: The choice is unknown, or no query gains or loses.

    Example:
        >>> first, second = np.array([50.0, 90.0, 10.0]), np.array([60.0, 20.0, 99.0])
        >>> choose_queries(first, second, 'gain', 2).tolist()
        [2, 0]
        >>> choose_queries(first, second, 'loss').tolist()
        [1]
    """
    if choice not in CHOICES:
        raise FigureError(f"choice '{choice}': expected one of {', '.join(CHOICES)}.")
    counted = np.flatnonzero(~np.isnan(first) & ~np.isnan(second))
    if choice == 'random':
        generator = np.random.default_rng(seed)
        size = min(num, len(counted))
        return np.sort(generator.choice(counted, size, replace=False))
    gain = (second - first)[counted] * (1 if choice == 'gain' else -1)
    order = np.argsort(-gain, kind='stable')
    order = order[gain[order] > 0][:num]
    if not len(order):
        more = 'higher' if choice == 'gain' else 'lower'
        raise FigureError(
            f'No query scores {more} by the second model than by the first, of '
            f"{len(counted)}. 'random' draws some of them."
        )
    return counted[order]

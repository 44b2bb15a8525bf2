"""Counts from distances that are all exact: what a collapsed model's tile takes.

Where most values of a tile lie within its rounding of a match, deciding them one by one
takes thousands of times as long as sorting all.
"""

import numpy as np
import torch
from torch import Tensor


def count_exactly(
    values: np.ndarray, limits: np.ndarray, places: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Count the values of each row that rank before or tie with each limit.

    Args:
        values: Distances, ``(B, W)`` float64; left-out ones are infinite.
        limits: ``(B, P)`` float64, none of them infinite but void ones, -inf.
        places: Where in the row each limit stands; it may be before or beyond it.

    Returns:
        Values before each limit, equal ones of an earlier place among them, ``(B, P)``;
        and equal ones of an earlier and of a later place, ``(2, B, P)``; int64.

    Example:
        >>> before, tied = count_exactly(
        ...     np.array([[0.1, 0.2, 0.2, 0.3]]), np.array([[0.2]]), np.array([[2]])
        ... )
        >>> before.tolist(), tied.tolist()
        ([[2]], [[[1]], [[1]]])
    """
    width = values.shape[1]
    ascending = torch.from_numpy(np.sort(values, axis=1))
    closer = _search(ascending, limits)
    equal = _search(ascending, limits, right=True) - closer
    earlier = np.zeros_like(equal)
    if equal.any():
        # Values become whole numbers that also tell places, and differ
        order = np.argsort(values, axis=1, kind='stable')
        new = ascending.numpy()[:, 1:] != ascending.numpy()[:, :-1]
        numbers = np.cumsum(np.pad(new, ((0, 0), (1, 0))), axis=1)
        found = np.take_along_axis(numbers, np.minimum(closer, width - 1), axis=1)
        sought = found * width + places.clip(0, width)
        distinct = torch.from_numpy(numbers * width + order)
        earlier = np.where(equal > 0, _search(distinct, sought) - closer, 0)
    return closer + earlier, np.stack([earlier, equal - earlier])


def _search(ascending: Tensor, sought: np.ndarray, right: bool = False) -> np.ndarray:
    values = torch.from_numpy(np.ascontiguousarray(sought))
    return torch.searchsorted(ascending, values, right=right).numpy()

"""The k smallest values of each row, equal ones in the order of the columns."""

import numpy as np
from torch import Tensor

from ..protocol import positions_in_row

_LAYERS = 32  # rows are folded so often at most; more gains nothing


def smallest(block: Tensor, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Find the k smallest values of each row, ascending.

    On a CPU it takes a twentieth of the matrix product that made the rows.

    Args:
        block: ``(B, N)``, no NaN.
        k: From 1 to N.

    Returns:
        Values ``(B, k)`` and columns ``(B, k)`` int32, on the host.
    """
    if block.device.type != 'cpu':
        ordered, columns = block.sort(dim=1, stable=True)
        return ordered[:, :k].cpu().numpy(), columns[:, :k].int().cpu().numpy()
    return _select(block.numpy(), k)


def _select(values: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Bound the k-th value of each row, and sort what doesn't exceed it.

    The bound: fold the row into a few layers, keep the smallest of what lies on top of
    each other, and take the k-th of those. Each is another value of the row, so k of
    them don't exceed the bound, and hardly more do.
    """
    total = values.shape[1]
    layers = max(1, min(_LAYERS, total // (4 * k)))
    width = total // layers
    few = values[:, : layers * width].reshape(-1, layers, width).min(axis=1)
    few.partition(k - 1, axis=1)
    below = values <= few[:, k - 1 : k]
    rows, columns = np.divmod(np.flatnonzero(below), total)  # nonzero in 2D is slow
    # Side by side in the order of the columns, which a stable sort keeps among equals.
    place = positions_in_row(rows)
    found = np.full((len(values), place.max() + 1), np.inf, values.dtype)
    found[rows, place] = values[rows, columns]
    items = np.empty(found.shape, np.int32)
    items[rows, place] = columns
    order = found.argsort(axis=1, kind='stable')[:, :k]
    return (
        np.take_along_axis(found, order, axis=1),
        np.take_along_axis(items, order, axis=1),
    )

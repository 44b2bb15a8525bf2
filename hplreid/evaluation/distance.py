"""Distances between features as one matrix product, and what it is made of."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from .protocol import as_index

Features = np.ndarray | Tensor

DISTANCES = ('cosine', 'euclidean', 'sqeuclidean')

# Values multiplied at a time when rows are summed one by one: they stay in the cache
_CACHED_VALUES = 1 << 16

_SMALLEST_NORM = 1e-12  # a feature of zeros has no direction, and stays zeros


def feature_norms(feats: Tensor, name: str) -> Tensor:
    """Return the lengths of features, ``(N, 1)``.

    Args:
        feats: ``(N, D)``, float32 or float64.
        name: What an error calls them.

    Raises:
        ValueError: A feature isn't finite, or the square of its length isn't.
    """
    squares = squared_lengths(feats)
    _check_finite(name, feats, squares.to(feats.dtype), None)
    return squares.sqrt().to(feats.dtype)


def squared_lengths(feats: Tensor) -> Tensor:
    """Return the squared lengths of features, ``(N, 1)`` float64.

    On a CPU each is summed in an order that its width alone decides: a sum in float32
    would differ with the width of the processor's registers, and with it the feature of
    length 1.

    Args:
        feats: ``(N, D)``, float32 or float64.
    """
    if feats.device.type != 'cpu':
        return feats.double().square().sum(1, keepdim=True)
    rows = feats.numpy()
    squares = np.empty(len(rows))
    step = max(1, _CACHED_VALUES // rows.shape[1])
    with np.errstate(over='ignore'):  # infinity is what tells
        for first in range(0, len(rows), step):
            some = slice(first, first + step)
            values = np.multiply(rows[some], rows[some], dtype=np.float64)
            values.sum(axis=1, out=squares[some])
    return torch.from_numpy(squares)[:, None]


def exact_products(
    left: Tensor, right: Tensor, rows: np.ndarray, columns: np.ndarray
) -> np.ndarray:
    """Return products of pairs of rows, each summed in one order, ``(P,)`` float64.

    Of float32 each is a sum of exact products. The order is that of NumPy, which the
    width of a row alone decides.

    Args:
        left: ``(N, D)``, float32 or float64.
        right: ``(M, D)``.
        rows: Which of the first, ``(P,)``.
        columns: Which of the second, ``(P,)``.
    """
    values = np.empty(len(rows))
    step = max(1, _CACHED_VALUES // left.shape[1])
    for first in range(0, len(rows), step):
        some = slice(first, first + step)
        products = np.multiply(
            _gather(left, rows[some]), _gather(right, columns[some]), dtype=np.float64
        )
        products.sum(axis=1, out=values[some])
    return values


def _gather(rows: Tensor, index: np.ndarray) -> np.ndarray:
    """Return some rows on the host."""
    if rows.device.type == 'cpu':  # NumPy's indexing takes half the time
        return rows.numpy()[index]
    return rows[as_index(index, rows)].cpu().numpy()


def query_operand(
    feats: Tensor, norms: Tensor, distance: str, out: Tensor | None = None
) -> Tensor:
    """Return the left factor of the product that ranks a gallery.

    Cosine distance is ``1 - q.g / |q||g|`` and squared Euclidean distance is
    ``|q|^2 - 2 q.g + |g|^2``. What depends on the query alone changes no ranking, and
    the rest is one product: ``q/|q| . -g/|g|``, and ``[q, 1] . [-2g, |g|^2]``.
    Euclidean and squared Euclidean distance rank alike.

    Args:
        feats: ``(N, D)``, float32 or float64.
        norms: Their lengths, ``(N, 1)``.
        distance: ``'cosine'``, ``'euclidean'`` or ``'sqeuclidean'``.
        out: Where to write it, ``(N, operand_width(D, distance))``.
    """
    if distance == 'cosine':
        return torch.div(feats, norms.clamp_min(_SMALLEST_NORM), out=out)
    return torch.cat([feats, torch.ones_like(norms)], dim=1, out=out)


def gallery_operand(
    feats: Tensor,
    distance: str,
    index: np.ndarray | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Return the right factor, as in :func:`query_operand`.

    Args:
        feats: ``(N, D)``, float32 or float64.
        distance: ``'cosine'``, ``'euclidean'`` or ``'sqeuclidean'``.
        index: Which rows of the user's gallery these are, ``(N,)``; all by default.
        out: Where to write it, ``(N, operand_width(D, distance))``.

    Raises:
        ValueError: A feature isn't finite, or the square of its length isn't.
    """
    if out is None:
        out = feats.new_empty(len(feats), operand_width(feats.shape[1], distance))
    squares = squared_lengths(feats)
    _check_finite('gallery_feats', feats, squares.to(feats.dtype), index)
    if distance == 'cosine':
        norms = squares.sqrt().to(feats.dtype)
        return torch.div(feats, -norms.clamp_min(_SMALLEST_NORM), out=out)
    torch.mul(feats, -2, out=out[:, :-1])
    out[:, -1:] = squares
    return out


def round_down(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Convert to a shorter type without ending above the value."""
    with np.errstate(over='ignore'):  # infinity is beyond, and steps back below
        rounded = values.astype(dtype)
    down = np.nextafter(rounded, -np.inf, dtype=dtype)
    return np.where(rounded > values, down, rounded)


def operand_width(length: int, distance: str) -> int:
    """Return how wide the factors of features of a length are."""
    return length + (distance != 'cosine')


def as_features(name: str, feats: Features | Sequence) -> Features:
    """Return features, or distances, as an array or a tensor; these stay as they are.

    Args:
        name: What an error calls them.
        feats: ``(N, D)``, an array or a tensor, or nested lists that make one.

    Raises:
        TypeError: They aren't numbers, or lists of different lengths.

    Example:
        >>> as_features('feats', [[1.0, 0.0], [0.5, 0.5]]).shape
        (2, 2)
    """
    if isinstance(feats, Tensor):
        return feats
    try:
        if isinstance(feats, (list, tuple)) and any(
            isinstance(feature, Tensor) for feature in feats
        ):
            return torch.stack([torch.as_tensor(feature) for feature in feats])
        array = np.asanyarray(feats)
        # bfloat16 of ml_dtypes is of kind V, and a float
        if array.dtype.kind not in 'OSUcMm':
            return array
        problem = f'it holds {array.dtype}'
    except (TypeError, ValueError, RuntimeError) as error:
        problem = str(error)
    raise TypeError(
        f'{name} must be an array, a tensor, or lists of numbers that make one, all '
        f'of one length; got a {type(feats).__name__}: {problem}.'
    )


def check_features(
    query_feats: Features, gallery_feats: Features, distance: str
) -> torch.dtype:
    """Check what can be checked without reading the features.

    Returns:
        The type to compute in: float64 if either side is, else float32.

    Raises:
        ValueError: Shapes, devices or the name of the distance are wrong.
    """
    if distance not in DISTANCES:
        raise ValueError(f"Unknown distance '{distance}': expected one of {DISTANCES}.")
    sides = {'query_feats': query_feats, 'gallery_feats': gallery_feats}
    for name, feats in sides.items():
        if feats.ndim != 2 or 0 in feats.shape:
            raise ValueError(
                f'{name} must be (N, D), not empty; got {tuple(feats.shape)}.'
            )
    if query_feats.shape[1] != gallery_feats.shape[1]:
        raise ValueError(
            'Query and gallery features differ in length: '
            f'{query_feats.shape[1]} and {gallery_feats.shape[1]}.'
        )
    if device_of(query_feats) != device_of(gallery_feats):
        raise ValueError(
            'Query and gallery features are on different devices: '
            f'{device_of(query_feats)} and {device_of(gallery_feats)}.'
        )
    return dtype_of(query_feats, gallery_feats)


def dtype_of(*arrays: Features) -> torch.dtype:
    """Return the type to compute in: float64 if one of them is, else float32."""
    double = any(str(array.dtype).endswith('float64') for array in arrays)
    return torch.float64 if double else torch.float32


def device_of(array: Features) -> torch.device:
    """Return the device of an array; NumPy arrays are on the CPU."""
    return array.device if isinstance(array, Tensor) else torch.device('cpu')


def take_rows(array: Features, index: np.ndarray | None, dtype: torch.dtype) -> Tensor:
    """Read rows, or all, as a tensor of the type to compute in.

    Of a memory-mapped array no more is read than that. Rows that follow each other and
    are of that type already aren't copied: don't write to them.

    Args:
        array: ``(N, D)``.
        index: Which.
        dtype: float32 or float64.
    """
    if index is not None and (np.diff(index) == 1).all():
        array, index = array[index[0] : index[-1] + 1], None
    if isinstance(array, Tensor):
        array = array.detach()
        return (array if index is None else array[as_index(index, array)]).to(dtype)
    rows = array if index is None else array[index]
    as_numpy = np.float64 if dtype == torch.float64 else np.float32
    rows = np.ascontiguousarray(rows, dtype=as_numpy)
    return torch.from_numpy(rows if rows.flags.writeable else rows.copy())


def _check_finite(
    name: str, feats: Tensor, lengths: Tensor, index: np.ndarray | None
) -> None:
    if torch.isfinite(lengths.sum()):  # one fast look; which rows, only if need be
        return
    bad = (~torch.isfinite(lengths[:, 0])).nonzero()[:, 0].cpu().numpy()
    if not len(bad):
        return
    first = int(bad[0] if index is None else index[bad[0]])
    finite = bool(torch.isfinite(feats[as_index(bad, feats)]).all())
    fault = (
        'are too large to be squared in float32' if finite else 'hold NaN or infinity'
    )
    raise ValueError(
        f'{len(bad)} of {len(feats)} rows of {name} {fault}; the first is row {first}.'
    )

"""Features on a grid, whose products are exact in float64 whatever order they take.

Float32 sums depend on their order, and a matrix product's order on its shape, the
library, the processor and the number of threads. On a grid nothing is rounded: with
whole numbers of ``b`` bits, times a power of two for each row, a product of length D is
a whole number of at most ``2 b + log2 D`` bits, and float64 holds 53.
"""

import numpy as np
import torch
from torch import Tensor

from .distance import exact_products, squared_lengths

_SIGNIFICAND = 53
_MOST_BITS = 24  # float32 holds them

# Bits of the significand, what is added to exponents, an integer of the same size
_LAYOUT = {
    torch.float32: (23, 127, torch.int32),
    torch.float64: (52, 1023, torch.int64),
}

# Below 2 to these powers a row's grid gets no finer: squares would be nothing anyway
_SMALLEST_EXPONENT = {torch.float32: -100, torch.float64: -400}


class GridFeatures:
    """Features rounded to whole multiples of a power of two, each row to its own.

    For 512 numbers a row that is 2**-22 of its largest at most, and 2**-44 for float64,
    which takes a second, finer grid for what the first leaves.

    Args:
        feats: ``(N, D)``, float32 or float64, finite.

    Attributes:
        rounded: ``(N, D)``, of the same type.
        squares: Squared lengths, ``(N, 1)`` float64 on the device of the features.
        error: How far products of float64 may be from those of ``rounded``, relative to
            the lengths; those of float32 are what they are.
    """

    def __init__(self, feats: Tensor) -> None:
        bits = min(_MOST_BITS, (_SIGNIFICAND - (feats.shape[1] - 1).bit_length()) // 2)
        self._high = _snap(feats, bits)
        self._low: Tensor | None = None
        self.rounded, self.error = self._high, 0.0
        self.squares = squared_lengths(self._high)
        if feats.dtype == torch.float64:
            self._low = _snap(feats - self._high, bits)
            self.rounded = self._high + self._low
            self.error = feats.shape[1] * 4.0**-bits
            each = np.arange(len(feats))
            squares = torch.from_numpy(self.pairs(each, self, each))
            self.squares = squares[:, None].to(feats.device)

    def __len__(self) -> int:
        return len(self.rounded)

    def products(self, rows: slice, other: 'GridFeatures', columns: slice) -> Tensor:
        """Return products with rows of others, ``(B, M)`` float64.

        Args:
            rows: Of these.
            other: As many numbers a row, on the same device.
            columns: Rows of the others.
        """
        high = _multiply(self._high[rows], other._high[columns])
        if self._low is not None and other._low is not None:
            # Two products of the finer grids are below what float64 shows of the rest
            low = _multiply(self._high[rows], other._low[columns])
            low += _multiply(self._low[rows], other._high[columns])
            high += low
        return high

    def pairs(
        self, rows: np.ndarray, other: 'GridFeatures', columns: np.ndarray
    ) -> np.ndarray:
        """Return the same of some pairs, ``(P,)`` float64 on the host."""
        high = exact_products(self._high, other._high, rows, columns)
        if self._low is not None and other._low is not None:
            low = exact_products(self._high, other._low, rows, columns)
            low += exact_products(self._low, other._high, rows, columns)
            high += low
        return high


def _snap(feats: Tensor, bits: int) -> Tensor:
    """Round each row to whole multiples of a power of two, at most ``2**bits``."""
    exponents = torch.frexp(feats.abs().amax(dim=1, keepdim=True)).exponent
    exponents.clamp_(min=_SMALLEST_EXPONENT[feats.dtype])
    units = _powers_of_two(exponents - bits, feats.dtype)
    return (feats / units).round_().mul_(units)


def _powers_of_two(exponents: Tensor, dtype: torch.dtype) -> Tensor:
    """Return normal powers of two by their bits; PyTorch 2.4's ``ldexp`` underflows."""
    width, bias, whole = _LAYOUT[dtype]
    return ((exponents.to(whole) + bias) << width).view(dtype)


def _multiply(left: Tensor, right: Tensor) -> Tensor:
    left, right = left.double(), right.double()
    if left.device.type == 'cpu':
        # NumPy's product may be twice torch's on AMD, and autocast can't reach it
        return torch.from_numpy(left.numpy() @ right.numpy().T)
    with torch.autocast(left.device.type, enabled=False):
        return left @ right.T

"""Distances among queries and gallery together, a block of rows at a time."""

from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from ..block_distance import BlockDistance, comparable
from ..distance import Features
from ..grid_features import GridFeatures

_Values = TypeVar('_Values', np.ndarray, Tensor)


class JointDistances:
    """Squared Euclidean distances among N = Q + G items, queries first.

    A search multiplies in float32, which is fast and rounds; what it finds, and all
    that is returned in the end, is exact (:class:`BlockDistance`).

    Args:
        query_feats: ``(Q, D)``, array or tensor. Half precision is computed in float32.
        gallery_feats: ``(G, D)``, on the same device.
        normalize: Whether features are scaled to unit length first; the distance is
            then ``2 - 2 cos``.
        power: Distances are raised to it.

    Attributes:
        num_queries: Q.
        squares: Exact, and not raised.

    Raises:
        ValueError: Shapes or devices differ, or a feature isn't finite.
    """

    def __init__(
        self,
        query_feats: Features,
        gallery_feats: Features,
        *,
        normalize: bool = False,
        power: int = 1,
    ) -> None:
        sides = comparable(
            query_feats, gallery_feats, 'cosine' if normalize else 'sqeuclidean'
        )
        self.num_queries = len(sides[0])
        self._power = power
        grid = GridFeatures(torch.cat(sides))
        self.squares = BlockDistance(grid, grid, cosine=False)
        feats, squares = grid.rounded, grid.squares.to(grid.rounded)
        # One product: [-2x, |x|^2, 1] . [y, 1, |y|^2]
        ones = torch.ones_like(squares)
        self._columns = torch.cat([feats, ones, squares], dim=1)
        self._rows = torch.cat([-2 * feats, squares, ones], dim=1)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def device(self) -> torch.device:
        """Device of the features and distances."""
        return self._rows.device

    @property
    def dtype(self) -> np.dtype:
        """float32 or float64."""
        return self.squares.dtype

    def rounded(self, start: int, stop: int, out: np.ndarray | None = None) -> Tensor:
        """Return squared distances of items ``start`` to ``stop`` to all, rounded.

        Args:
            start: First row.
            stop: One more than the last.
            out: Where to write them if the features are on the CPU.

        Returns:
            ``(stop - start, N)``, on the device of the features, before the power.
        """
        rows = self._rows[start:stop]
        if rows.device.type == 'cpu':
            # NumPy's product may be twice torch's on AMD, and autocast can't reach it.
            product = np.matmul(rows.numpy(), self._columns.numpy().T, out=out)
            return torch.from_numpy(product)
        with torch.autocast(rows.device.type, enabled=False):
            return rows @ self._columns.T

    def margins(self, start: int, stop: int) -> np.ndarray:
        """Return how far those may be from the exact ones, ``(B, 1)``.

        A sum of n products ``a b`` is off by at most ``n u`` times that of ``|a b|``,
        here ``(|x| + |y|)^2``, u half the distance from 1 to the next number. Squared
        lengths are rounded, too, and so is an exact distance in the end.

        Raises:
            ValueError: A distance might not be finite.
        """
        grid, n = self.squares.query, self._rows.shape[1]
        info = torch.finfo(self._rows.dtype)
        lengths = grid.squares.sqrt().cpu().numpy()
        bound = 1.01 * (lengths[start:stop] + lengths.max()) ** 2
        if not (bound < info.max).all():
            raise ValueError(
                f'A distance of features overflows {self.dtype}: scale them down.'
            )
        return ((n + 3) * info.eps / 2 + grid.error) * bound + n * info.tiny

    def block(
        self, start: int, stop: int, first: int = 0, out: np.ndarray | None = None
    ) -> Tensor:
        """Return the distances of items ``start`` to ``stop`` to items from ``first``.

        Args:
            start: First row.
            stop: One more than the last.
            first: First column.
            out: Where to write them if the features are on the CPU.

        Returns:
            ``(stop - start, N - first)``, on the device of the features.
        """
        return self.raised(self.squares.block(start, stop, first, out))

    def pairs(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Return the distances of given pairs of items, ``(P,)``, those of a block."""
        return self.raised(self.squares.pairs(rows, columns))

    def raised(self, squares: _Values) -> _Values:
        """Raise squared distances to the power, in place."""
        if self._power != 1:
            squares **= self._power
        return squares

"""Distances among queries and gallery together, a block of rows at a time."""

import numpy as np
import torch
from torch import Tensor

from ..distance import BlockDistance, Features

# Pairs whose features are gathered at once; of 512-d float32 256 stay in the cache of a
# core.
_CPU_PAIRS = 256
_GPU_PAIRS = 2**16


class JointDistances:
    """Squared Euclidean distances among N = Q + G items, queries first.

    One product a block: ``[-2x, |x|^2, 1] . [y, 1, |y|^2]``. What rounding made
    negative is zero, and so is the distance of an item to itself.

    Args:
        query_feats: ``(Q, D)``, array or tensor. Half precision is computed in float32.
        gallery_feats: ``(G, D)``, on the same device.
        normalize: Whether features are scaled to unit length first; the distance is
            then ``2 - 2 cos``.
        power: Distances are raised to it.

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
        sides = BlockDistance(
            query_feats, gallery_feats, 'cosine' if normalize else 'sqeuclidean'
        )
        if normalize:  # its operands are q and -g, of unit length
            feats = torch.cat([sides.query, -sides.gallery])
        else:  # they are [q, 1] and [-2g, |g|^2]
            feats = torch.cat([sides.query[:, :-1], sides.gallery[:, :-1] / -2])
        self.num_queries = len(sides.query)
        self.power = power
        squares = feats.square().sum(1, keepdim=True)
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
        return np.dtype(str(self._rows.dtype).removeprefix('torch.'))

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
        rows, columns = self._rows[start:stop], self._columns[first:]
        if rows.device.type == 'cpu':
            # NumPy's product may be twice torch's on AMD, and autocast can't reach it.
            product = np.matmul(rows.numpy(), columns.numpy().T, out=out)
            distances = torch.from_numpy(product)
        else:
            with torch.autocast(rows.device.type, enabled=False):
                distances = rows @ columns.T
        distances.clamp_(min=0)
        own = torch.arange(max(start, first), max(stop, first), device=rows.device)
        distances[own - start, own - first] = 0
        return distances.pow_(self.power) if self.power != 1 else distances

    def pairs(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Return the distances of given pairs of items, ``(P,)`` each."""
        left = torch.from_numpy(rows).to(self.device)
        right = torch.from_numpy(columns).to(self.device)
        number = _CPU_PAIRS if self.device.type == 'cpu' else _GPU_PAIRS
        parts = []
        for i, j in zip(left.split(number), right.split(number), strict=True):
            # Much faster than indexing; the last two columns are no features
            differences = self._columns.index_select(0, i)
            differences -= self._columns.index_select(0, j)
            parts.append(differences[:, :-2].square().sum(1))
        return torch.cat(parts).pow(self.power).cpu().numpy()

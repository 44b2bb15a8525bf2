"""Distances of queries to a gallery, by blocks, that no order of sums changes."""

import numpy as np
import torch
from torch import Tensor

from .distance import (
    Features,
    as_features,
    check_features,
    feature_norms,
    query_operand,
    take_rows,
)
from .grid_features import GridFeatures
from .protocol import as_index

_TILE = 2048  # gallery items whose features are widened to float64 at a time


def comparable(
    query_feats: Features, gallery_feats: Features, distance: str
) -> tuple[Tensor, Tensor]:
    """Check features and scale them to length 1 if cosines are asked for.

    Args:
        query_feats: ``(Q, D)``, array or tensor. Half precision becomes float32, and
            float32 becomes float64 where the other side is.
        gallery_feats: ``(G, D)``, on the same device.
        distance: ``'cosine'``, ``'euclidean'`` or ``'sqeuclidean'``.

    Raises:
        ValueError: Shapes, devices or the name of the distance are wrong, or a feature
            isn't finite.
    """
    query_feats = as_features('query_feats', query_feats)
    gallery_feats = as_features('gallery_feats', gallery_feats)
    dtype = check_features(query_feats, gallery_feats, distance)
    sides = []
    for name, given in (('query_feats', query_feats), ('gallery_feats', gallery_feats)):
        feats = take_rows(given, None, dtype)
        norms = feature_norms(feats, name)
        scaled = distance == 'cosine'
        sides.append(query_operand(feats, norms, distance) if scaled else feats)
    return sides[0], sides[1]


class BlockDistance:
    """Opposite cosines, or squared Euclidean distances, the same on any machine.

    Products are exact (:class:`.grid_features.GridFeatures`), so blocks, threads and
    libraries change no bit; copies of an image are equally far from everything, and
    0 from each other. A block takes twice the time of one in float32.

    Args:
        query: ``(Q, D)``, of length 1 for cosines.
        gallery: ``(G, D)``, on the same device.
        cosine: Whether values are opposite cosines, not squared distances.

    Attributes:
        query: As given.
        gallery: As given.
    """

    def __init__(
        self, query: GridFeatures, gallery: GridFeatures, *, cosine: bool
    ) -> None:
        self.query, self.gallery, self._cosine = query, gallery, cosine

    @classmethod
    def between(
        cls, query_feats: Features, gallery_feats: Features, distance: str
    ) -> 'BlockDistance':
        """Make it from features as they come.

        Args:
            query_feats: ``(Q, D)``, as for :func:`comparable`.
            gallery_feats: ``(G, D)``.
            distance: ``'cosine'``, ``'euclidean'`` or ``'sqeuclidean'`` (both squared).

        Raises:
            ValueError: See there.
        """
        sides = comparable(query_feats, gallery_feats, distance)
        return cls(*map(GridFeatures, sides), cosine=distance == 'cosine')

    @property
    def device(self) -> torch.device:
        """Device of the features and of blocks."""
        return self.query.rounded.device

    @property
    def dtype(self) -> np.dtype:
        """float32 or float64."""
        return np.dtype(str(self.query.rounded.dtype).removeprefix('torch.'))

    def block(
        self, start: int, stop: int, first: int = 0, out: np.ndarray | None = None
    ) -> Tensor:
        """Return the distances of queries ``start`` to ``stop``, ``(B, G - first)``.

        Args:
            start: First query.
            stop: One more than the last; may be beyond all.
            first: First gallery item.
            out: Where to write them if the features are on the CPU.
        """
        stop = min(stop, len(self.query))
        shape = stop - start, len(self.gallery) - first
        if out is None or self.device.type != 'cpu':
            block = self.query.rounded.new_empty(shape)
        else:
            block = torch.from_numpy(out)
        rows = slice(start, stop)
        for left in range(first, len(self.gallery), _TILE):
            columns = slice(left, left + _TILE)
            products = self.query.products(rows, self.gallery, columns)
            block[:, left - first : left - first + _TILE] = self._distances(
                products, self.query.squares[rows], self.gallery.squares[columns].T
            )
        return block

    def pairs(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Return the distances of some pairs, ``(P,)``, those of a block."""
        products = torch.from_numpy(self.query.pairs(rows, self.gallery, columns))
        query = self.query.squares[as_index(rows, self.query.squares), 0]
        gallery = self.gallery.squares[as_index(columns, self.gallery.squares), 0]
        values = self._distances(products, query.cpu(), gallery.cpu())
        return values.numpy().astype(self.dtype, copy=False)

    def _distances(self, products: Tensor, query: Tensor, gallery: Tensor) -> Tensor:
        """Turn products into distances, from squared lengths that go with them."""
        if self._cosine:
            return products.neg_().clamp_(-1, 1)  # rounding goes a little beyond
        return (query + gallery).sub_(products.mul_(2)).clamp_(min=0)

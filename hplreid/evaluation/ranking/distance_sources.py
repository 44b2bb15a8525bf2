"""Sources of distances: rounded tiles and exact pairs, computed on demand.

A matrix product rounds with the shape of its factors and with the library's kernel. So
a tile of products decides only what lies beyond its rounding; the rest is decided pair
by pair, in float64 and in a fixed order, which is the same for any block, thread,
process and machine. Copies of an image tie exactly.
"""

import typing
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from ..distance import (
    Features,
    check_features,
    device_of,
    exact_products,
    feature_norms,
    gallery_operand,
    operand_width,
    query_operand,
    take_rows,
)
from ..protocol import as_index
from ..threads import Map, Scratch

# A product of 2048 x 2016 is as fast as one with the whole gallery. Rows of 2048
# values would all fall into the same few places of a cache.
_CPU_TILE = 2016
_GPU_TILE = 8192

_Factor = TypeVar('_Factor')


class Source(typing.Protocol[_Factor]):
    """Gives distances: lower is closer, up to what is constant in a query.

    Attributes:
        device: Where the distances are.
        tile_width: Gallery items to ask for at a time.
    """

    device: torch.device
    tile_width: int

    def queries(self, index: np.ndarray) -> _Factor:
        """Return what :meth:`tile` and :meth:`exact` need of some queries."""

    def gallery(self, columns: np.ndarray) -> _Factor:
        """Return what :meth:`tile` and :meth:`exact` need of some gallery items."""

    def tile(self, queries: _Factor, gallery: _Factor) -> Tensor:
        """Return rounded distances, ``(B, N)``.

        It may be changed, and holds until the thread asks for the next.
        """

    def margins(self, queries: _Factor, gallery: _Factor) -> np.ndarray:
        """Return how far a tile's distances may be from the exact ones, ``(B, 1)``."""

    def exact(
        self, queries: _Factor, gallery: _Factor, rows: np.ndarray, columns: np.ndarray
    ) -> np.ndarray:
        """Return the distances of some pairs of the tile, ``(N,)`` float64."""

    def exact_rows(
        self, queries: _Factor, gallery: _Factor, rows: np.ndarray
    ) -> np.ndarray:
        """Return the same of all pairs of some queries, ``(B, N)`` float64.

        It may be changed.
        """


class Factor(NamedTuple):
    """One factor of a product.

    Attributes:
        rows: ``(N, D')``, float32 or float64.
        norms: Upper bounds of their lengths, or those of two parts, ``(N, 1 or 2)``; of
            a gallery the greatest, ``(1, 1 or 2)``.
    """

    rows: Tensor
    norms: np.ndarray


class FeatureSource:
    """Distances from features, each a product.

    Args:
        query_feats: ``(Q, D)``.
        gallery_feats: ``(G, D)``, may be a memory-mapped array: rows are read when
            they are needed.
        kept: Which gallery rows count, ascending, ``(K,)``; all others are never read.
        distance: ``'cosine'``, ``'euclidean'`` or ``'sqeuclidean'``.
        gallery_block_size: A gallery of no more items is normalized once, at the start.
        offset: Where these items begin in the gallery of all processes.
        run: Shares the work at the start among threads.

    Raises:
        ValueError: Shapes, devices or the name of the distance are wrong, or a feature
            isn't finite. A larger gallery's are checked when they are read.
    """

    def __init__(
        self,
        query_feats: Features,
        gallery_feats: Features,
        kept: np.ndarray,
        distance: str,
        gallery_block_size: int,
        offset: int = 0,
        run: Map = map,
    ) -> None:
        self._dtype = check_features(query_feats, gallery_feats, distance)
        self.device = device_of(query_feats)
        self._query = take_rows(query_feats, None, self._dtype)
        # Not here: torch would wake threads of its own, which takes ten times as long
        (self._norms,) = run(feature_norms, [self._query], ['query_feats'])
        self._gallery, self._kept = gallery_feats, kept
        self._distance, self._offset = distance, offset
        self.tile_width = _CPU_TILE if self.device.type == 'cpu' else _GPU_TILE
        self._scratch = Scratch()
        self._whole: Tensor | None = None
        if len(kept) <= gallery_block_size:
            whole = self._empty(len(kept))
            parts = np.split(kept, range(self.tile_width, len(kept), self.tile_width))
            list(run(self._read, parts, whole.split(self.tile_width)))
            self._whole = whole

    def queries(self, index: np.ndarray) -> Factor:
        """Return the left factor of the product, ``(B, D')``."""
        feats = take_rows(self._query, index, self._dtype)
        norms = self._norms[as_index(index, feats)]
        rows = query_operand(feats, norms, self._distance, self._empty(len(index)))
        return Factor(rows, self._bound(rows))

    def gallery(self, columns: np.ndarray) -> Factor:
        """Read gallery items, counted in all processes; the other factor, transposed.

        Raises:
            ValueError: A feature isn't finite.
        """
        own = columns - self._offset
        if self._whole is None:
            rows = self._read(self._kept[own], self._empty(len(own)))
        elif (np.diff(own) == 1).all():
            rows = self._whole[own[0] : own[0] + len(own)]
        else:
            rows = self._empty(len(own))
            torch.index_select(self._whole, 0, as_index(own, rows), out=rows)
        return Factor(rows, self._bound(rows).max(axis=0, keepdims=True))

    def _read(self, index: np.ndarray, out: Tensor) -> Tensor:
        rows = take_rows(self._gallery, index, self._dtype)
        return gallery_operand(rows, self._distance, index, out)

    def _bound(self, rows: Tensor) -> np.ndarray:
        """Return upper bounds of the lengths of a factor's rows, ``(N, 1)``.

        For Euclidean distance of those of the features and of the column that is added,
        ``(N, 2)``: squared lengths are of another order than lengths, and a bound of
        both together would be a multiple.
        """
        if self._distance == 'cosine':
            return np.full((len(rows), 1), 1.0001)  # of unit length, but for rounding
        norms = torch.linalg.vector_norm(rows[:, :-1], dim=1, keepdim=True)
        both = torch.cat([norms, rows[:, -1:]], dim=1)
        return 1.0001 * both.cpu().numpy().astype(np.float64)

    def tile(self, queries: Factor, gallery: Factor) -> Tensor:
        """Return the product, ``(B, N)``."""
        shape = len(queries.rows), len(gallery.rows)
        if self.device.type != 'cpu':
            out = _empty(shape, queries.rows)
            return torch.mm(queries.rows, gallery.rows.T, out=out)
        tile = self._scratch.take(shape, queries.rows.numpy().dtype)
        # NumPy's product may be twice torch's on AMD
        np.matmul(queries.rows.numpy(), gallery.rows.numpy().T, out=tile)
        return torch.from_numpy(tile)

    def margins(self, queries: Factor, gallery: Factor) -> np.ndarray:
        """Return a bound of the tile's rounding error, ``(B, 1)``.

        A sum of n products in any order is off by at most ``n u |q| |g|`` (Higham,
        Accuracy and Stability of Numerical Algorithms, Section 3.1), u half the
        distance from 1 to the next number, and by what underflows. The same holds for
        the exact value, a sum in float64.

        Raises:
            ValueError: A product might not be finite.
        """
        info = torch.finfo(self._dtype)
        lengths = (queries.norms * gallery.norms).sum(axis=1, keepdims=True)
        if not (lengths < info.max).all():
            name = str(self._dtype).removeprefix('torch.')
            raise ValueError(
                f'A product of features overflows {name}: scale them down.'
            )
        unit = (info.eps + torch.finfo(torch.float64).eps) / 2
        return queries.rows.shape[1] * (1.01 * unit * lengths + info.tiny)

    def exact(
        self, queries: Factor, gallery: Factor, rows: np.ndarray, columns: np.ndarray
    ) -> np.ndarray:
        """Return the products of some rows in float64, ``(N,)``."""
        return exact_products(queries.rows, gallery.rows, rows, columns)

    def exact_rows(
        self, queries: Factor, gallery: Factor, rows: np.ndarray
    ) -> np.ndarray:
        """Return products with all rows, ``(B, N)``; those of copies are taken once."""
        left, left_of = _find_copies(queries.rows, rows)
        right, right_of = _find_copies(gallery.rows, np.arange(len(gallery.rows)))
        pairs = np.repeat(left, len(right)), np.tile(right, len(left))
        values = exact_products(queries.rows, gallery.rows, *pairs)
        return values.reshape(len(left), -1)[np.ix_(left_of, right_of)]

    def _empty(self, height: int) -> Tensor:
        width = operand_width(self._query.shape[1], self._distance)
        return _empty((height, width), self._query)


class DistanceSource:
    """Distances from a matrix that is given; nothing is rounded.

    Args:
        distmat: ``(Q, G)``, lower is closer; it may be a memory-mapped array.
        kept: Which columns count, ascending, ``(K,)``; all others are never read.
    """

    def __init__(self, distmat: Features, kept: np.ndarray) -> None:
        self._distmat, self._kept = distmat, kept
        self.device = device_of(distmat)
        name = str(distmat.dtype).removeprefix('torch.')
        single = name in ('float32', 'float16', 'bfloat16')
        self._dtype = torch.float32 if single else torch.float64
        self.tile_width = _CPU_TILE if self.device.type == 'cpu' else _GPU_TILE

    def queries(self, index: np.ndarray) -> np.ndarray:
        """Return what :meth:`tile` takes: the rows' index."""
        return index

    def gallery(self, columns: np.ndarray) -> np.ndarray:
        """Return what :meth:`tile` takes: the columns' index."""
        return self._kept[columns]

    def tile(self, queries: np.ndarray, gallery: np.ndarray) -> Tensor:
        """Read distances, ``(B, N)``, a copy.

        Raises:
            ValueError: One of them isn't finite.
        """
        return self._take(queries[:, None], gallery[None, :])

    def margins(self, queries: np.ndarray, gallery: np.ndarray) -> np.ndarray:
        """Return zeros, ``(B, 1)``: values of a tile are exact."""
        return np.zeros((len(queries), 1))

    def exact(
        self,
        queries: np.ndarray,
        gallery: np.ndarray,
        rows: np.ndarray,
        columns: np.ndarray,
    ) -> np.ndarray:
        """Read the distances of some pairs, ``(N,)`` float64."""
        values = self._take(queries[rows], gallery[columns])
        return values.double().cpu().numpy()

    def exact_rows(
        self, queries: np.ndarray, gallery: np.ndarray, rows: np.ndarray
    ) -> np.ndarray:
        """Read all distances of some queries, ``(B, N)`` float64, a copy."""
        values = self._take(queries[rows][:, None], gallery[None, :])
        return values.cpu().numpy().astype(np.float64)

    def _take(self, rows: np.ndarray, columns: np.ndarray) -> Tensor:
        if isinstance(self._distmat, Tensor):
            place = as_index(rows, self._distmat), as_index(columns, self._distmat)
            values = self._distmat.detach()[place].to(self._dtype)
        else:
            as_numpy = str(self._dtype).removeprefix('torch.')
            taken = self._distmat[rows, columns].astype(as_numpy, copy=False)
            values = torch.from_numpy(taken)
        if not torch.isfinite(values.sum()):
            bad = (~torch.isfinite(values)).nonzero().cpu().numpy()
            if len(bad):
                first = tuple(bad[0])
                row = np.broadcast_to(rows, values.shape)[first]
                column = np.broadcast_to(columns, values.shape)[first]
                raise ValueError(
                    f'The distance of query {row} and gallery item {column} is NaN or '
                    'infinite.'
                )
        return values


def _empty(shape: tuple[int, int], like: Tensor) -> Tensor:
    if like.device.type == 'cpu':
        # NumPy asks for large pages of memory, which are there several times sooner
        return torch.from_numpy(np.empty(shape, str(like.dtype).removeprefix('torch.')))
    return like.new_empty(shape)


def _find_copies(rows: Tensor, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find rows that are the same to the last bit.

    Returns:
        Which of the index are the first of their kind, ``(K,)``; and for each of it the
        place of its kind among these, ``(N,)``.
    """
    kinds: dict[bytes, int] = {}
    chosen = rows[as_index(index, rows)].cpu().numpy()
    kind_of = np.array([kinds.setdefault(r.tobytes(), len(kinds)) for r in chosen])
    _, first = np.unique(kind_of, return_index=True)
    return index[first], kind_of

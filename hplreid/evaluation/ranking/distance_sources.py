"""What is ranked by: values of queries against some gallery items, made on demand."""

import typing
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from ..distance import (
    Features,
    check_features,
    device_of,
    gallery_operand,
    operand_width,
    query_norms,
    query_operand,
    take_rows,
)
from ..protocol import as_index
from ..threads import Map, Scratch

# A product of 2048 x 2016 is as fast as one with the whole gallery. Rows of 2048
# numbers would all fall into the same few places of a cache.
_CPU_TILE = 2016
_GPU_TILE = 8192

# Libraries multiply thin matrices in other ways, which round differently. From here on
# a pair's value doesn't depend on its place or its company, so copies of an image tie.
_MIN_SIDE = 64


_Factor = TypeVar('_Factor')


class Source(typing.Protocol[_Factor]):
    """Gives values: lower is closer, up to what is constant in a query.

    Attributes:
        device: Where the values are.
        dtype: Their type, float32 or float64.
        tile_width: Gallery items to ask for at a time.
        least: Queries and gallery items to ask for, at least, and in multiples of it:
            products of fewer may round differently.
    """

    device: torch.device
    dtype: np.dtype
    tile_width: int
    least: tuple[int, int]

    def queries(self, index: np.ndarray) -> _Factor:
        """Return what :meth:`values` needs of some queries; can be sliced."""

    def gallery(self, columns: np.ndarray) -> _Factor:
        """Return what :meth:`values` needs of some gallery items; can be sliced."""

    def values(self, queries: _Factor, gallery: _Factor) -> Tensor:
        """Return ``(B, N)``, a little larger where factors were padded.

        It may be changed, and holds until the thread asks for the next.
        """


class FeatureSource:
    """Values from features, each a product.

    Args:
        query_feats: ``(Q, D)``.
        gallery_feats: ``(G, D)``, may be a memory-mapped array: rows are read when
            they are needed.
        kept: Which gallery rows count, ascending, ``(K,)``; all others are never read.
        distance: ``'cosine'``, ``'euclidean'`` or ``'sqeuclidean'``.
        block_size: Queries at a time.
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
        block_size: int,
        gallery_block_size: int,
        offset: int = 0,
        run: Map = map,
    ) -> None:
        self._dtype = check_features(query_feats, gallery_feats, distance)
        self.device = device_of(query_feats)
        self._query = take_rows(query_feats, None, self._dtype)
        # Not here: torch would wake threads of its own, which takes ten times as long
        (self._norms,) = run(query_norms, [self._query])
        self._gallery, self._kept = gallery_feats, kept
        self._distance, self._offset = distance, offset
        self.dtype = np.dtype('f8' if self._dtype == torch.float64 else 'f4')
        on_cpu = self.device.type == 'cpu'
        self.tile_width = _CPU_TILE if on_cpu else _GPU_TILE
        # A GPU's library chooses how to sum by the shape: give it only one.
        self.least = (_MIN_SIDE, _MIN_SIDE) if on_cpu else (block_size, _GPU_TILE)
        self._scratch = Scratch()
        self._whole: Tensor | None = None
        if len(kept) <= gallery_block_size:
            whole = self._empty(self._padded(len(kept)))
            parts = np.split(kept, range(self.tile_width, len(kept), self.tile_width))
            list(run(self._read, parts, whole.split(self.tile_width)))
            self._whole = whole

    def queries(self, index: np.ndarray) -> Tensor:
        """Return one factor of the product, ``(B, D')`` or a little higher."""
        factor = self._empty(max(len(index), self.least[0]))
        feats = take_rows(self._query, index, self._dtype)
        norms = self._norms[as_index(index, feats)]
        query_operand(feats, norms, self._distance, factor[: len(index)])
        factor[len(index) :] = 0
        return factor

    def gallery(self, columns: np.ndarray) -> Tensor:
        """Read gallery items, counted in all processes; the other factor, transposed.

        Raises:
            ValueError: A feature isn't finite.
        """
        own = columns - self._offset
        height = self._padded(len(own))
        if self._whole is None:
            return self._read(self._kept[own], self._empty(height))
        if own[0] + height <= len(self._whole) and (np.diff(own) == 1).all():
            return self._whole[own[0] : own[0] + height]
        factor = self._empty(height)
        index = as_index(own, factor)
        torch.index_select(self._whole, 0, index, out=factor[: len(own)])
        factor[len(own) :] = 0
        return factor

    def _read(self, index: np.ndarray, out: Tensor) -> Tensor:
        rows = take_rows(self._gallery, index, self._dtype)
        gallery_operand(rows, self._distance, index, out[: len(rows)])
        out[len(rows) :] = 0
        return out

    def _padded(self, number: int) -> int:
        """Return how high the factor of so many gallery items is."""
        tiles, rest = divmod(number, self.tile_width)
        if rest:
            rest = max(rest + -rest % 16, self.least[1])
        return tiles * self.tile_width + rest

    def values(self, queries: Tensor, gallery: Tensor) -> Tensor:
        """Return the product, ``(B, N)``, both a little larger where factors are."""
        shape = len(queries), len(gallery)
        if self.device.type != 'cpu':
            return torch.mm(queries, gallery.T, out=_empty(shape, queries))
        # Not torch's: MKL's product of float64 depends on the place
        tile = self._scratch.take(shape, self.dtype)
        np.matmul(queries.numpy(), gallery.numpy().T, out=tile)
        return torch.from_numpy(tile)

    def _empty(self, height: int) -> Tensor:
        width = operand_width(self._query.shape[1], self._distance)
        return _empty((height, width), self._query)


class DistanceSource:
    """Values from a distance matrix that is given.

    Args:
        distmat: ``(Q, G)``, lower is closer; it may be a memory-mapped array.
        kept: Which columns count, ascending, ``(K,)``; all others are never read.
    """

    def __init__(self, distmat: Features, kept: np.ndarray) -> None:
        self._distmat, self._kept = distmat, kept
        self.device = device_of(distmat)
        name = str(distmat.dtype).removeprefix('torch.')
        single = name in ('float32', 'float16', 'bfloat16')
        self.dtype = np.dtype('f4' if single else 'f8')
        self.tile_width = _CPU_TILE if self.device.type == 'cpu' else _GPU_TILE
        self.least = _MIN_SIDE, _MIN_SIDE

    def queries(self, index: np.ndarray) -> np.ndarray:
        """Return what :meth:`values` takes: the rows' index."""
        return index

    def gallery(self, columns: np.ndarray) -> np.ndarray:
        """Return what :meth:`values` takes: the columns' index."""
        return self._kept[columns]

    def values(self, queries: np.ndarray, gallery: np.ndarray) -> Tensor:
        """Read distances, ``(B, N)``, a copy.

        Raises:
            ValueError: One of them isn't finite.
        """
        if isinstance(self._distmat, Tensor):
            rows = as_index(queries, self._distmat)[:, None]
            found = self._distmat.detach()[rows, as_index(gallery, self._distmat)]
            values = found.to(torch.float32 if self.dtype == 'f4' else torch.float64)
        else:
            block = self._distmat[np.ix_(queries, gallery)]
            values = torch.from_numpy(block.astype(self.dtype, copy=False))
        if not torch.isfinite(values.sum()):
            bad = (~torch.isfinite(values)).nonzero().cpu().numpy()
            if len(bad):
                row, column = queries[bad[0, 0]], gallery[bad[0, 1]]
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

"""Sums of minima of the sparse vectors, from which Jaccard distances follow."""

from __future__ import annotations

import numpy as np
import scipy  # whose parts are loaded when they are used

_ENTRIES = 2**18  # meeting values at a time: 2 MiB
_CELLS = 2**18  # sums at a time: 1 MiB in float32, to stay in the cache


class Overlap:
    """Sums of smaller values, ``m_ij = sum_l min(V_il, V_jl)``, i queries, j gallery.

    Vectors meet only in the items that both have: inverted lists, from an item to the
    gallery vectors that have it, find all that meet a query.

    Args:
        vectors: Of queries and gallery, queries first, ``(N, N)``.
        num_queries: Q.
    """

    def __init__(self, vectors: scipy.sparse.csr_array, num_queries: int) -> None:
        self.queries = vectors[:num_queries]
        self.lists = vectors[num_queries:].tocsc()
        lengths = np.diff(self.lists.indptr).astype(np.int64)
        work = np.concatenate([[0], np.cumsum(lengths[self.queries.indices])])
        self._work = work[self.queries.indptr]  # entries before each query

    def split(self, start: int, stop: int) -> list[tuple[int, int]]:
        """Cut queries ``start`` to ``stop`` into ranges of bounded work."""
        most = max(1, _CELLS // self.lists.shape[0])
        ranges = []
        while start < stop:
            enough = np.searchsorted(self._work, self._work[start] + _ENTRIES, 'right')
            end = min(max(int(enough) - 1, start + 1), start + most, stop)
            ranges.append((start, end))
            start = end
        return ranges

    def sums(self, start: int, stop: int) -> np.ndarray:
        """Return the sums of queries ``start`` to ``stop``, ``(B, G)``."""
        queries = self.queries[start:stop]
        met = self.lists[:, queries.indices]  # a copy, list after list
        lengths = np.diff(met.indptr)
        np.minimum(met.data, np.repeat(queries.data, lengths), out=met.data)
        # A row of these is all that meets a query; equal columns are added up.
        return scipy.sparse.csr_array(
            (met.data, met.indices, met.indptr[queries.indptr]),
            shape=(stop - start, self.lists.shape[0]),
        ).toarray()

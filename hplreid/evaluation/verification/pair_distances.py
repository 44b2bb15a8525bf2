"""Distances of all pairs on one scale, block by block."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from ..block_distance import BlockDistance
from ..distance import Features, as_features
from ..protocol import Protocol, as_index


@dataclass(frozen=True)
class PairBlock:
    """Some queries against the whole gallery.

    Attributes:
        values: ``(B, G)``, lower is closer; a fresh array that may be written to.
        rows: Query of each pair of one identity, counted from the first of the block,
            ascending, ``(P,)``.
        columns: Gallery item of each such pair, ``(P,)``.
        ignored: Whether the protocol leaves the pair out, ``(P,)``.
    """

    values: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    ignored: np.ndarray

    def genuine(self) -> np.ndarray:
        """Return the values of pairs of one identity that count."""
        counted = ~self.ignored
        return self.values[self.rows[counted], self.columns[counted]]


class PairValues:
    """Negative cosine similarity, or squared Euclidean distance, of all pairs.

    A ranking compares the values of one query; here those of different queries must
    compare, too, so what is constant in a query counts. They are those of
    :class:`.block_distance.BlockDistance`, which no block, thread or machine changes.

    Args:
        query_feats: ``(Q, D)``, array or tensor on any device.
        gallery_feats: ``(G, D)``.
        query_pids: ``(Q,)`` integers.
        gallery_pids: ``(G,)`` integers, -1 is junk and dropped.
        query_camids: ``(Q,)`` integers, or None.
        gallery_camids: ``(G,)`` integers, or None.
        distance: ``'cosine'``, ``'euclidean'`` or ``'sqeuclidean'``.
        block_size: Queries at a time.

    Raises:
        ValueError: An input is malformed.
    """

    def __init__(
        self,
        query_feats: Features,
        gallery_feats: Features,
        query_pids: ArrayLike | Tensor,
        gallery_pids: ArrayLike | Tensor,
        query_camids: ArrayLike | Tensor | None = None,
        gallery_camids: ArrayLike | Tensor | None = None,
        *,
        distance: str = 'cosine',
        block_size: int = 256,
    ) -> None:
        query_feats = as_features('query_feats', query_feats)
        gallery_feats = as_features('gallery_feats', gallery_feats)
        self.protocol = Protocol(query_pids, gallery_pids, query_camids, gallery_camids)
        shape = len(query_feats), len(gallery_feats)
        expected = len(self.protocol.query_pids), self.protocol.num_given
        if shape != expected:
            raise ValueError(
                f'query and gallery features are {shape}, but {expected[0]} query and '
                f'{expected[1]} gallery identities are given.'
            )
        if block_size < 1:
            raise ValueError(f'block_size must be at least 1; got {block_size}.')
        self.distance, self.block_size = distance, block_size
        gallery = torch.as_tensor(gallery_feats)
        gallery = gallery[as_index(self.protocol.kept, gallery)]
        self._block = BlockDistance.between(query_feats, gallery, distance).block

    @torch.no_grad()
    def blocks(self) -> Iterator[PairBlock]:
        """Yield the blocks, from the first query to the last."""
        num_queries = len(self.protocol.query_pids)
        for start in range(0, num_queries, self.block_size):
            stop = min(start + self.block_size, num_queries)
            values = self._block(start, stop).cpu().numpy()
            yield PairBlock(values, *self.protocol.same_identity(start, stop))

    def to_scores(self, values: np.ndarray) -> np.ndarray:
        """Turn values into what a person reads.

        Returns:
            Cosine similarities (higher is closer), or the named distance (lower is).
        """
        if self.distance == 'cosine':
            return -values
        return np.sqrt(values) if self.distance == 'euclidean' else values


def strictest_points(
    accepted: np.ndarray, total: int, limits: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Find the operating points with the most hits under limits of false accepts.

    Args:
        accepted: False accepts at each threshold, from the strictest, ``(T,)``.
        total: Of how many.
        limits: Shares that false accepts must not exceed, ``(L,)``.

    Returns:
        Index of the loosest threshold that meets each limit, -1 where none does; and
        the share of false accepts there; ``(L,)`` each.
    """
    # Of the quotient: 0.29 * 100 is less than 29
    shares = accepted / total
    index = np.searchsorted(shares, limits, side='right') - 1
    return index, np.append(shares, 0.0)[index]


def as_limits(name: str, limits: ArrayLike) -> np.ndarray:
    """Return shares of false accepts as an array.

    Raises:
        ValueError: They are none, or not in [0, 1].
    """
    array = np.asarray(limits, dtype=float)
    if array.ndim != 1 or not array.size or not ((array >= 0) & (array <= 1)).all():
        raise ValueError(f'{name} must be shares from 0 to 1; got {array}.')
    return array


def describe_acceptance(distance: str) -> str:
    """Return which pairs a threshold accepts, in words.

    Example:
        >>> describe_acceptance('cosine')
        'cosine similarity of at least the threshold'
    """
    if distance == 'cosine':
        return 'cosine similarity of at least the threshold'
    return f'{distance} distance of at most the threshold'


def as_json(value: float) -> float | None:
    """Return a number, or None for NaN, which JSON can't hold.

    Example:
        >>> as_json(0.5), as_json(float('nan'))
        (0.5, None)
    """
    return None if np.isnan(value) else float(value)

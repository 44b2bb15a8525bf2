"""k-reciprocal re-ranking without a matrix of all distances."""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple, overload

import numpy as np
import torch

from ..distance import Features
from ..k_smallest import smallest
from ..threads import num_workers, parallel_map
from .encoding import encode
from .jaccard import Overlap
from .joint_distances import JointDistances
from .neighbors import find_neighbors
from .settings import RerankSettings


class Nearest(NamedTuple):
    """The nearest gallery items of each query, nearest first, ``(Q, k)`` each."""

    distances: np.ndarray
    indices: np.ndarray


class KReciprocalReranker:
    """Re-ranked distances of queries to a gallery, any block of queries at a time.

    With D the squared Euclidean distances among all N = Q + G items, o their quotient
    by the greatest in the row, and V the k-reciprocal vectors of :func:`encode`, the
    distance is ``(1 - lambda) (1 - m / (2 - m)) + lambda o`` with
    ``m = sum_l min(V_il, V_jl)``. Neighbors are found by blocks, vectors are sparse,
    and where two don't meet the distance is ``(1 - lambda) + lambda o``.

    Of equally close neighbors the one with the lower index, queries before gallery,
    comes first. Where there are fewer than ``k1`` or ``k2`` items all are taken. If all
    items are the same one, o is 0. Features on an accelerator are multiplied there;
    sets and vectors are the host's.

    Args:
        query_feats: ``(Q, D)``, array or tensor. Half precision is computed in float32.
        gallery_feats: ``(G, D)``, on the same device. They take part in each other's
            neighborhoods: leave junk out.
        k1: Size of the neighborhoods. None takes the constant of the variant (20 for
            ``'original'``), as below.
        k2: Neighbors whose vectors are averaged (6).
        lambda_value: Share of the original distance (0.3).
        variant: ``'original'``; ``'transreid'`` (as CLIP-ReID: 50 and 15),
            ``'torchreid'`` (squares squared distances) or ``'fastreid'`` (weighs with
            ``exp(-D)``, adds D, for cosine D / 2, and counts an item among its own k1).
        distance: ``'euclidean'`` takes features as they are, ``'cosine'`` normalizes.
        block_size: Items at a time while neighbors are searched: memory is
            ``block_size * N`` distances.

    Attributes:
        settings: What is in use; ``str()`` says it in words.

    Raises:
        ValueError: An option or a feature is wrong.
    """

    @torch.no_grad()
    def __init__(
        self,
        query_feats: Features,
        gallery_feats: Features,
        k1: int | None = None,
        k2: int | None = None,
        lambda_value: float | None = None,
        *,
        variant: str = 'original',
        distance: str = 'euclidean',
        block_size: int = 512,
    ) -> None:
        if block_size < 1:
            raise ValueError(f'block_size must be at least 1; got {block_size}.')
        self.settings = RerankSettings.choose(variant, k1, k2, lambda_value, distance)
        self._distances = JointDistances(
            query_feats,
            gallery_feats,
            normalize=distance == 'cosine',
            power=self.settings.formula.power,
        )
        most = max(self.settings.num_neighbors, self.settings.num_averaged)
        neighbors = find_neighbors(self._distances, most, block_size)
        vectors = encode(self._distances, neighbors, self.settings)
        self._overlap = Overlap(vectors, self.num_queries)
        self._scale = self._scale_of_original(neighbors.greatest)

    @property
    def num_queries(self) -> int:
        """Q."""
        return self._distances.num_queries

    @property
    def num_gallery(self) -> int:
        """G."""
        return len(self._distances) - self.num_queries

    @torch.no_grad()
    def block(self, start: int, stop: int) -> np.ndarray:
        """Return the distances of queries ``start`` to ``stop``, ``(B, G)``."""
        stop = min(stop, self.num_queries)
        result = np.empty((stop - start, self.num_gallery), self._distances.dtype)
        workers = num_workers(self._distances.device, result.size)
        borders = np.linspace(start, stop, workers + 1).astype(int)
        parts = [
            result[first - start : last - start] for first, last in pairwise(borders)
        ]
        with parallel_map(workers) as run:
            list(run(self._write, borders, borders[1:], parts))
        return result

    def _write(self, start: int, stop: int, distances: np.ndarray) -> None:
        """Write the distances of queries ``start`` to ``stop``, in one thread."""
        block = self._distances.block(start, stop, self.num_queries, distances)
        if block.device.type != 'cpu':
            distances[:] = block.cpu().numpy()
        share = 1 - self.settings.lambda_value
        distances *= self._scale[start:stop, None]
        distances += share
        for first, last in self._overlap.split(start, stop):
            sums = self._overlap.sums(first, last)
            sums /= 2 - sums
            sums *= share
            distances[first - start : last - start] -= sums

    def blocks(self, block_size: int = 512) -> Iterator[np.ndarray]:
        """Yield the distances of all queries, ``block_size`` rows at a time."""
        for start in range(0, self.num_queries, block_size):
            yield self.block(start, start + block_size)

    def _scale_of_original(self, greatest: np.ndarray) -> np.ndarray:
        """Return what makes D of each query the original distance's share."""
        share = np.full(self.num_queries, self.settings.lambda_value, greatest.dtype)
        if self.settings.formula.relative:
            greatest = greatest[: self.num_queries]
            return np.divide(share, greatest, out=share, where=greatest > 0)
        return share / 2 if self.settings.distance == 'cosine' else share


@overload
def k_reciprocal_rerank(
    query_feats: Features,
    gallery_feats: Features,
    k1: int | None = ...,
    k2: int | None = ...,
    lambda_value: float | None = ...,
    *,
    variant: str = ...,
    distance: str = ...,
    topk: None = ...,
    block_size: int = ...,
) -> np.ndarray: ...


@overload
def k_reciprocal_rerank(
    query_feats: Features,
    gallery_feats: Features,
    k1: int | None = ...,
    k2: int | None = ...,
    lambda_value: float | None = ...,
    *,
    variant: str = ...,
    distance: str = ...,
    topk: int,
    block_size: int = ...,
) -> Nearest: ...


def k_reciprocal_rerank(
    query_feats: Features,
    gallery_feats: Features,
    k1: int | None = None,
    k2: int | None = None,
    lambda_value: float | None = None,
    *,
    variant: str = 'original',
    distance: str = 'euclidean',
    topk: int | None = None,
    block_size: int = 512,
) -> np.ndarray | Nearest:
    """Re-rank the gallery of each query by k-reciprocal neighbors, exactly.

    Args:
        query_feats: As in :class:`KReciprocalReranker`, like all that isn't named here.
        gallery_feats: ``(G, D)``.
        k1: 20, or the variant's constant.
        k2: 6, or the variant's constant.
        lambda_value: 0.3.
        variant: ``'original'``, ``'transreid'``, ``'torchreid'`` or ``'fastreid'``.
        distance: ``'euclidean'`` or ``'cosine'``.
        topk: Return only so many of the nearest gallery items of each query.
        block_size: Items at a time.

    Returns:
        Distances ``(Q, G)`` in float32 (float64 for float64 features), or with ``topk``
        the nearest; equally close ones are in the order of the gallery.

    Raises:
        ValueError: An option or a feature is wrong.

    Example:
        >>> import numpy as np
        >>> from hplreid.evaluation import k_reciprocal_rerank
        >>> feats = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]])
        >>> distances = k_reciprocal_rerank(feats[:1], feats[1:], k1=1, k2=1)
        >>> distances.shape, bool(distances[0, 0] < distances[0, 1])
        ((1, 2), True)
    """
    if topk is not None and topk < 1:
        raise ValueError(f'topk must be at least 1; got {topk}.')
    reranker = KReciprocalReranker(
        query_feats,
        gallery_feats,
        k1,
        k2,
        lambda_value,
        variant=variant,
        distance=distance,
        block_size=block_size,
    )
    blocks = reranker.blocks(block_size)
    if topk is None:
        return _stack(blocks, reranker)
    nearest = [_nearest(block, min(topk, reranker.num_gallery)) for block in blocks]
    return Nearest(*(np.concatenate(parts) for parts in zip(*nearest, strict=True)))


def _stack(blocks: Iterator[np.ndarray], reranker: KReciprocalReranker) -> np.ndarray:
    """Stack blocks in place of a concatenation, which would hold them twice."""
    shape = (reranker.num_queries, reranker.num_gallery)
    result, start = None, 0
    for block in blocks:
        if result is None:
            result = np.empty(shape, block.dtype)
        result[start : start + len(block)] = block
        start += len(block)
    assert result is not None
    return result


def _nearest(distances: np.ndarray, k: int) -> Nearest:
    return Nearest(*smallest(torch.from_numpy(distances), k))

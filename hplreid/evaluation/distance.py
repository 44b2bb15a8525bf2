"""Distances between features as one matrix product, a block of queries at a time."""

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

Features = np.ndarray | Tensor

DISTANCES = ('cosine', 'euclidean', 'sqeuclidean')


class BlockDistance:
    """Distances, up to what is constant in a row, of queries to a whole gallery.

    Cosine distance is ``1 - q.g / |q||g|`` and squared Euclidean distance is
    ``|q|^2 - 2 q.g + |g|^2``. What depends on the query alone changes no ranking, and
    the rest is one product: ``q/|q| . -g/|g|``, and ``[q, 1] . [-2g, |g|^2]``.
    Euclidean and squared Euclidean distance rank alike.

    Half precision is computed in float32; float32 and float64 in themselves.

    Args:
        query_feats: ``(Q, D)``.
        gallery_feats: ``(G, D)``, on the same device.
        distance: ``'cosine'``, ``'euclidean'`` or ``'sqeuclidean'``.

    Raises:
        ValueError: Shapes, devices or the name of the distance are wrong, or a feature
            isn't finite.
    """

    def __init__(
        self, query_feats: Features, gallery_feats: Features, distance: str
    ) -> None:
        if distance not in DISTANCES:
            raise ValueError(
                f"Unknown distance '{distance}': expected one of {DISTANCES}."
            )
        query = _as_features('query_feats', query_feats)
        gallery = _as_features('gallery_feats', gallery_feats)
        if query.shape[1] != gallery.shape[1]:
            raise ValueError(
                'Query and gallery features differ in length: '
                f'{query.shape[1]} and {gallery.shape[1]}.'
            )
        if query.device != gallery.device:
            raise ValueError(
                'Query and gallery features are on different devices: '
                f'{query.device} and {gallery.device}.'
            )
        dtype = torch.promote_types(query.dtype, gallery.dtype)
        self.distance = distance
        query, gallery = query.to(dtype), gallery.to(dtype)
        if distance == 'cosine':
            self.query = F.normalize(query)
            self.gallery = -F.normalize(gallery)
        else:
            norm = gallery.square().sum(1, keepdim=True)
            self.query = torch.cat([query, torch.ones_like(query[:, :1])], dim=1)
            self.gallery = torch.cat([-2 * gallery, norm], dim=1)

    def block(self, start: int, stop: int) -> Tensor:
        """Return what ranks the gallery for queries ``start`` to ``stop``, (B, G)."""
        query = self.query[start:stop]
        if query.device.type == 'cpu':
            # NumPy's product is up to twice torch's on AMD, and no autocast or reduced
            # matmul precision that training switched on can reach it.
            return torch.from_numpy(query.numpy() @ self.gallery.numpy().T)
        with torch.autocast(query.device.type, enabled=False):
            return query @ self.gallery.T

    def scores(self, columns: Tensor) -> Tensor:
        """Return what a person reads: cosine similarities, or the named distance.

        Args:
            columns: Gallery items of each query, ``(Q, k)`` int64.

        Returns:
            ``(Q, k)``; higher is closer for ``'cosine'``, lower is closer otherwise.
        """
        products = (self.query.unsqueeze(1) * self.gallery[columns]).sum(-1)
        if self.distance == 'cosine':
            return -products
        constant = self.query[:, :-1].square().sum(1, keepdim=True)
        squares = (products + constant).clamp(min=0)
        return squares if self.distance == 'sqeuclidean' else squares.sqrt()


def _as_features(name: str, value: Features) -> Tensor:
    feats = torch.as_tensor(value).detach()
    if feats.dim() != 2 or 0 in feats.shape:
        raise ValueError(f'{name} must be (N, D), not empty; got {tuple(feats.shape)}.')
    if feats.dtype not in (torch.float32, torch.float64):
        feats = feats.float()
    if not torch.isfinite(feats.sum()):  # one fast pass; which rows, only if need be
        bad = int((~torch.isfinite(feats).all(1)).sum())
        if bad:
            raise ValueError(
                f'{bad} of {len(feats)} rows of {name} hold NaN or infinity.'
            )
    return feats

"""Sphere tracing: intersections of rays with a shape, normals and occlusion."""

from dataclasses import dataclass

import numpy as np
import torch

from ..figure.shape_batch import ShapeBatch
from ..figure.signed_distance import Shape, nearest_rows, smooth_union

MAX_STEPS = 44
HIT_DISTANCE = 0.003
# Distances of several bundles computed at once, at most: with what they need they fit
# the cache of a core.
BLOCK = 8192


@dataclass
class Bundle:
    """Rays that can see one shape.

    Args:
        shape: The shape.
        origin: Start of all rays, ``(3, 1)``.
        direction: Unit directions, ``(3, N)``.
        near: Depth to begin at, meters along the ray, ``(N,)``.
        far: Depth to give up at, ``(N,)``.
    """

    shape: Shape
    origin: torch.Tensor
    direction: torch.Tensor
    near: torch.Tensor
    far: torch.Tensor


def _blocks(bundles: list[Bundle], counts: list[int]) -> list[list[int]]:
    """Return consecutive bundles with rays left, in blocks that fit the CPU's cache."""
    blocks: list[list[int]] = []
    size = BLOCK
    for i, count in enumerate(counts):
        if count:
            more = count * len(bundles[i].shape)
            if size + more > BLOCK:
                blocks.append([])
                size = 0
            blocks[-1].append(i)
            size += more
    return blocks


def trace_rays(bundles: list[Bundle]) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """March along rays until they hit their shape or leave ``[near, far]``.

    The bundles march in step, since many small evaluations take longer than a large
    one; what a ray hits does not depend on the other bundles.

    Args:
        bundles: Rays and the shape that they can see.

    Returns:
        For each bundle the indices of the rays that hit, ``(M,)``, and their depths,
        ``(M,)``.
    """
    if not bundles:
        return []
    counts = [len(bundle.near) for bundle in bundles]
    bounds = torch.tensor([0, *counts]).cumsum(0)
    direction = torch.cat([bundle.direction for bundle in bundles], 1)
    depth = torch.cat([bundle.near for bundle in bundles])
    far = torch.cat([bundle.far for bundle in bundles])
    index = torch.arange(len(depth))
    hits = []
    batches: list[ShapeBatch] = []
    for step in range(MAX_STEPS):
        if not batches:
            blocks = _blocks(bundles, counts)
            batches = [
                ShapeBatch(
                    [bundles[i].shape for i in block], [counts[i] for i in block]
                )
                for block in blocks
            ]
            rays = direction.split(counts, 1)
        depths = depth.split(counts)
        distance = torch.cat(
            [
                batch(
                    [
                        torch.addcmul(bundles[i].origin, rays[i], depths[i])
                        for i in block
                    ]
                )
                for batch, block in zip(batches, blocks, strict=True)
            ]
        )
        hit = distance < HIT_DISTANCE
        depth = depth + distance
        if step % 2 and step > 2 or step == MAX_STEPS - 1:
            at = hit.nonzero().squeeze(1)
            hits.append((index.index_select(0, at), depth.index_select(0, at)))
            keep = ((depth < far) & ~hit).nonzero().squeeze(1)
            index, depth, far = (
                values.index_select(0, keep) for values in (index, depth, far)
            )
            direction = direction.index_select(1, keep)
            if not len(index):
                break
            counts = torch.searchsorted(index, bounds).diff().tolist()
            batches = []
    ray, depth = (torch.cat(parts) for parts in zip(*hits, strict=True))
    bundle = torch.searchsorted(bounds[1:], ray, right=True)
    # Stable: in every bundle the order in which the rays hit.
    order = bundle.argsort(stable=True)
    sizes = bundle.bincount(minlength=len(bundles)).tolist()
    ray = (ray - bounds[bundle])[order]
    return list(zip(ray.split(sizes), depth[order].split(sizes), strict=True))


@dataclass
class Hits:
    """Surface points, one column per ray that hit.

    Args:
        point: World position in meters, ``(3, M)``.
        normal: Unit normal, ``(3, M)``.
        open_sky: Openness of the surroundings, 0 (crevice) to 1, ``(M,)``.
        lit: Share of the direct light that arrives, 0 to 1, ``(M,)``.
        part: Part of the nearest primitive, ``(M,)``.
        limb: Whether patterns follow its axis, ``(M,)``.
        across: First coordinate in its frame, meters, ``(M,)``.
        along: Second coordinate in its frame, meters, ``(M,)``.
    """

    point: torch.Tensor
    normal: torch.Tensor
    open_sky: torch.Tensor
    lit: torch.Tensor
    part: torch.Tensor
    limb: torch.Tensor
    across: torch.Tensor
    along: torch.Tensor


def _norms(vectors: torch.Tensor) -> torch.Tensor:
    """Return the lengths of vectors, ``(3, M)`` to ``(M,)``.

    ``vectors.norm(dim=0)`` takes ten times as long. Its root is rounded correctly, as
    NumPy's is, while ``torch.sqrt`` may be one bit off.
    """
    x, y, z = vectors.unbind(0)
    return torch.from_numpy(np.sqrt((x * x + y * y + z * z).numpy()))


def compute_hits(shape: Shape, point: torch.Tensor, light: torch.Tensor) -> Hits:
    """Compute normals by finite differences and approximate occlusion.

    Args:
        shape: The shape that was hit.
        point: Points that rays hit, ``(3, M)``.
        light: Unit direction toward the light, ``(3, 1)``.
    """
    count, step = point.shape[1], 0.004
    local = shape.local(point)
    here = shape.local_distances(local.clone())
    nearest = nearest_rows(here)
    across, along = local[:2].gather(1, nearest.expand(2, 1, count)).squeeze(1)
    offsets = torch.eye(3).mul_(step)
    probes = torch.cat([point + offsets[:, i : i + 1] for i in range(3)], 1)
    gradient = shape(probes).reshape(3, count) - smooth_union(here)
    normal = gradient / _norms(gradient).clamp_(min=1e-9)
    probes = torch.cat(
        [point + 0.05 * normal, point + 0.15 * normal, point + 0.12 * light], 1
    )
    close, wide, towards = shape(probes).reshape(3, count)
    open_sky = 0.5 * (close / 0.045).clamp_(0, 1) + 0.5 * (wide / 0.12).clamp_(0, 1)
    # Along a ray to the light, the distance to an unshadowed surface grows.
    facing = (normal * light).sum(0).clamp_(min=0.15)
    lit = (towards / (0.09 * facing)).clamp_(0, 1)
    part, limb = shape.part[nearest], shape.limb[nearest]
    return Hits(point, normal, open_sky, lit, part, limb, across, along)


def join_hits(hits: list[Hits]) -> Hits:
    """Return the points of several bundles as one."""
    columns = zip(*(vars(one).values() for one in hits), strict=True)
    return Hits(*(torch.cat(column, -1) for column in columns))

"""Sphere tracing: intersections of rays with a shape, normals and occlusion."""

from dataclasses import dataclass

import torch

from ..figure.signed_distance import Shape, smooth_union

MAX_STEPS = 44
HIT_DISTANCE = 0.003


@dataclass
class Hits:
    """Surface points, one column per ray that hit.

    Args:
        ray: Index of the ray, ``(M,)``.
        point: World position in meters, ``(3, M)``.
        normal: Unit normal, ``(3, M)``.
        primitive: Index of the nearest primitive, ``(M,)``.
        open_sky: Openness of the surroundings, 0 (crevice) to 1, ``(M,)``.
        lit: Share of the direct light that arrives, 0 to 1, ``(M,)``.
    """

    ray: torch.Tensor
    point: torch.Tensor
    normal: torch.Tensor
    primitive: torch.Tensor
    open_sky: torch.Tensor
    lit: torch.Tensor


def trace_rays(
    shape: Shape,
    origin: torch.Tensor,
    direction: torch.Tensor,
    near: torch.Tensor,
    far: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    """March along rays until they hit the shape or leave ``[near, far]``.

    Args:
        shape: The shape.
        origin: Start of all rays, ``(3, 1)``.
        direction: Unit directions, ``(3, N)``.
        near: Depth to begin at, meters along the ray, ``(N,)``.
        far: Depth to give up at, ``(N,)``.

    Returns:
        Indices of the rays that hit, ``(M,)``, and their depths, ``(M,)``.
    """
    index = torch.arange(direction.shape[1])
    depth, hits = near.clone(), []
    for step in range(MAX_STEPS):
        distance = shape(torch.addcmul(origin, direction, depth))
        hit = distance < HIT_DISTANCE
        depth = depth + distance
        if step % 2 and step > 2 or step == MAX_STEPS - 1:
            hits.append((index[hit], depth[hit]))
            keep = ~hit & (depth < far)
            index, depth, far = index[keep], depth[keep], far[keep]
            direction = direction[:, keep]
            if not len(index):
                break
    rays = torch.cat([pair[0] for pair in hits])
    return rays, torch.cat([pair[1] for pair in hits])


def compute_hits(
    shape: Shape, rays: torch.Tensor, point: torch.Tensor, light: torch.Tensor
) -> Hits:
    """Compute normals by finite differences and approximate occlusion.

    Args:
        shape: The shape that was hit.
        rays: Indices of the rays, ``(M,)``.
        point: Points that they hit, ``(3, M)``.
        light: Unit direction toward the light, ``(3, 1)``.
    """
    count, step = point.shape[1], 0.004
    here = shape.distances(point)
    offsets = torch.eye(3).mul_(step)
    probes = torch.cat([point + offsets[:, i : i + 1] for i in range(3)], 1)
    gradient = shape(probes).reshape(3, count) - smooth_union(here)
    normal = gradient / gradient.norm(dim=0).clamp_(min=1e-9)
    probes = torch.cat(
        [point + 0.05 * normal, point + 0.15 * normal, point + 0.12 * light], 1
    )
    close, wide, towards = shape(probes).reshape(3, count)
    open_sky = 0.5 * (close / 0.045).clamp_(0, 1) + 0.5 * (wide / 0.12).clamp_(0, 1)
    # Along a ray to the light, the distance to an unshadowed surface grows.
    facing = (normal * light).sum(0).clamp_(min=0.15)
    lit = (towards / (0.09 * facing)).clamp_(0, 1)
    return Hits(rays, point, normal, here.argmin(0), open_sky, lit)

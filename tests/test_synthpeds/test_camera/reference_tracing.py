"""Sphere tracing of one bundle in the plainest way, to compare with."""

import torch

from hplreid.synthpeds.camera.sphere_tracing import HIT_DISTANCE, MAX_STEPS, Bundle
from hplreid.synthpeds.figure.signed_distance import BLEND, Shape


def union_distance(shape: Shape, points: torch.Tensor) -> torch.Tensor:
    """Return the distance to the smooth union with all points at once."""
    hy, low, radius, taper, cap, scale, hx, hz = shape.table
    x, y, z = shape.local(points)
    grown = torch.minimum(torch.maximum(y, low), hy) * taper + radius
    beyond = y.abs() - hy
    total = beyond.clamp(min=0).square()
    x, z = (x.abs() - hx).clamp(min=0), (z.abs() - hz).clamp(min=0)
    total.addcmul_(x, x).addcmul_(z, z)
    distances = torch.maximum(total.sqrt() - grown, beyond - cap) * scale
    nearest = distances.amin(0)
    weight = ((nearest - distances) * (1 / BLEND)).exp().sum(0)
    return nearest - BLEND * weight.log()


def trace(bundle: Bundle) -> tuple[torch.Tensor, torch.Tensor]:
    """Return which rays of a bundle hit, and their depths."""
    index = torch.arange(len(bundle.near))
    depth, far, direction, hits = bundle.near, bundle.far, bundle.direction, []
    for step in range(MAX_STEPS):
        points = torch.addcmul(bundle.origin, direction, depth)
        distance = union_distance(bundle.shape, points)
        hit = distance < HIT_DISTANCE
        depth = depth + distance
        if step % 2 and step > 2 or step == MAX_STEPS - 1:
            hits.append((index[hit], depth[hit]))
            keep = ~hit & (depth < far)
            index, depth, far = index[keep], depth[keep], far[keep]
            direction = direction[:, keep]
            if not len(index):
                break
    return torch.cat([h[0] for h in hits]), torch.cat([h[1] for h in hits])

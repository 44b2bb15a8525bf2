"""Sphere tracing agrees with the algebra of a sphere."""

import numpy as np
import torch

from hplreid.synthpeds.camera.sphere_tracing import Bundle, compute_hits, trace_rays
from hplreid.synthpeds.figure import Part, Shape
from hplreid.synthpeds.figure.signed_distance import segment


def test_hits_and_normals_on_a_sphere_match_algebra():
    center, radius = np.array([0.1, 1.0, 0.0]), 0.4
    point = segment(center, center + [0, 1e-5, 0], (radius, radius), Part.FACE)
    shape = Shape([point])
    rng = np.random.default_rng(3)
    origin = np.array([0.0, 1.5, 5.0])
    target = center + rng.uniform(-0.6, 0.6, (300, 3))
    rays = target - origin
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    along = (center - origin) @ rays.T
    square = radius**2 - ((center - origin) @ (center - origin) - along**2)
    start = torch.tensor(origin, dtype=torch.float32)[:, None]
    direction = torch.tensor(rays.T, dtype=torch.float32)
    near, far = torch.full((300,), 3.0), torch.full((300,), 7.0)
    [(found, depth)] = trace_rays([Bundle(shape, start, direction, near, far)])
    clear = np.abs(square) > 0.01  # grazing rays may go either way
    hit = np.zeros(300, bool)
    hit[found.numpy()] = True
    np.testing.assert_array_equal(hit[clear], square[clear] > 0)
    sure = clear[found.numpy()]
    expected = along - np.sqrt(np.maximum(square, 0))
    np.testing.assert_allclose(
        depth.numpy()[sure], expected[found.numpy()][sure], atol=0.01
    )
    where = start + direction[:, found] * depth
    light = torch.tensor([[0.0], [1.0], [0.0]])
    normal = compute_hits(shape, where, light).normal.numpy()
    radial = where.numpy() - center[:, None]
    radial /= np.linalg.norm(radial, axis=0)
    assert ((normal * radial).sum(0)[sure] > 0.999).all()

"""Signed distances agree with formulas and never overestimate."""

import numpy as np
import torch

from hplreid.synthpeds.figure import Part, Shape
from hplreid.synthpeds.figure.signed_distance import box, segment


def test_capsule_distance_matches_formula():
    rng = np.random.default_rng(0)
    a, b, radius = np.array([0.1, 0.2, -0.1]), np.array([-0.3, 0.9, 0.4]), 0.12
    points = rng.normal(0, 1, (200, 3))
    expected = []
    for p in points:  # the distance to a segment, point by point
        t = min(1.0, max(0.0, (p - a) @ (b - a) / ((b - a) @ (b - a))))
        expected.append(np.linalg.norm(p - a - t * (b - a)) - radius)
    shape = Shape([segment(a, b, (radius, radius), Part.ARM)])
    found = shape(torch.tensor(points.T, dtype=torch.float32))
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-5)


def test_box_distance_matches_formula_after_a_rotation():
    angle = 0.7
    turn = np.array(
        [
            [np.cos(angle), 0, np.sin(angle)],
            [0, 1, 0],
            [-np.sin(angle), 0, np.cos(angle)],
        ]
    )
    half, radius, center = np.array([0.2, 0.3, 0.1]), 0.05, np.array([0.3, 1.0, 0.2])
    shape = Shape([box(center, half, radius, Part.BAG)], turn)
    points = np.random.default_rng(1).uniform(-2, 2, (200, 3))
    local = points @ turn - center
    outside = np.maximum(np.abs(local) - half, 0)
    expected = np.linalg.norm(outside, axis=1) - radius
    found = shape(torch.tensor(points.T, dtype=torch.float32)).numpy()
    far = expected > 0
    np.testing.assert_allclose(found[far], expected[far], atol=1e-5)


def test_stretched_shape_never_overestimates_the_distance():
    # An ellipsoid with half axes 0.3, 0.2, 0.1: compare with dense surface points.
    shape = Shape(
        [segment([0, -1e-4, 0], [0, 1e-4, 0], (0.2, 0.2), Part.UPPER, (1.5, 0.5))]
    )
    rng = np.random.default_rng(2)
    sphere = rng.normal(size=(20000, 3))
    sphere /= np.linalg.norm(sphere, axis=1, keepdims=True)
    surface_points = sphere * [0.3, 0.2, 0.1]
    points = rng.uniform(-1, 1, (60, 3))
    points = points[np.linalg.norm(points / [0.3, 0.2, 0.1], axis=1) > 1.1]
    true = np.linalg.norm(points[:, None] - surface_points, axis=2).min(1)
    found = shape(torch.tensor(points.T, dtype=torch.float32)).numpy()
    assert (found <= true + 1e-3).all()
    assert (found > 0).all()

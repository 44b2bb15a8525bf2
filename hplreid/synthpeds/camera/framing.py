"""Projected extent of a figure, and the crop that a person detector returns."""

from dataclasses import dataclass, replace

import numpy as np

from ..figure.signed_distance import Primitive
from .camera import View


@dataclass(frozen=True)
class Extent:
    """Bounding boxes of the primitives on the image plane.

    Args:
        low: Lower left corners, ``(P, 2)``.
        high: Upper right corners, ``(P, 2)``.
        depth: Nearest and farthest distance along the view axis, meters.
    """

    low: np.ndarray
    high: np.ndarray
    depth: tuple[float, float]


def project_extent(
    primitives: list[Primitive], rotation: np.ndarray, view: View
) -> Extent:
    """Project every primitive of a figure that stands at the origin.

    Args:
        primitives: The figure.
        rotation: Rotation of the figure, ``(3, 3)``.
        view: View of the camera.
    """
    lows, highs, depths = [], [], []
    for p in primitives:
        reach = np.array([p.half[0] * p.stretch[0], p.half[2] * p.stretch[1]])
        corners = np.array(
            [[sx, sy, sz] for sx in (-1, 1) for sy in (-1, 1) for sz in (-1, 1)]
        ) * [reach[0], p.half[1], reach[1]]
        world = (p.center + corners @ p.axes) @ rotation.T
        plane = view.project(world)
        radius = np.maximum(p.radius + p.taper * corners[:, 1], 0.0)
        # How far the stretched round end reaches along each axis of the world.
        spans = np.abs((p.axes * [[p.stretch[0]], [1.0], [p.stretch[1]]]) @ rotation.T)
        grow = radius[:, None] * np.linalg.norm(spans, axis=0)
        # Perspective over the size of one primitive is negligible.
        half = grow[:, [0, 1]] / plane[:, 2:]
        lows.append((plane[:, :2] - half).min(0))
        highs.append((plane[:, :2] + half).max(0))
        deep = grow.max(1)
        depths += [(plane[:, 2] - deep).min(), (plane[:, 2] + deep).max()]
    return Extent(np.stack(lows), np.stack(highs), (min(depths), max(depths)))


def crop_view(
    view: View,
    extent: Extent,
    rng: np.random.Generator,
    error: float,
    junk: bool = False,
) -> View:
    """Return the view cropped around a person, with the error of a detector.

    Args:
        view: View of the camera.
        extent: Projected extent of the person.
        rng: Random generator.
        error: Standard deviation of the offset, as a share of the height.
        junk: Whether to crop badly, to a part of the person or far too much.
    """
    low, high = extent.low.min(0), extent.high.max(0)
    size = high[1] - low[1]
    fill = rng.uniform(0.88, 0.97) * (1 + rng.normal(0, error))
    width = (high[0] - low[0]) * 2
    height = max(size / fill, 0.8 * width)
    offset = np.clip(rng.normal(0, error * 0.6, 2), -0.12, 0.12) * height * [0.6, 1.0]
    if junk:
        height *= rng.choice([0.45, 1.7])
        offset = rng.uniform(0.25, 0.4, 2) * rng.choice([-1, 1], 2) * height * [0.5, 1]
    return replace(view, center=(low + high) / 2 + offset, height=float(height))

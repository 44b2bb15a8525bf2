"""Projected extent of a figure, and the crop that a person detector returns."""

from dataclasses import dataclass, replace

import numpy as np

from ..figure.signed_distance import Primitive
from .camera import View

_CORNERS = np.array(
    [[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float
)


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
    center = np.stack([p.center for p in primitives])[:, None]
    axes = np.stack([p.axes for p in primitives])
    half = np.stack([p.half for p in primitives])
    stretch = np.array([[p.stretch[0], 1.0, p.stretch[1]] for p in primitives])
    corners = _CORNERS * (half * stretch)[:, None]
    world = (center + corners @ axes) @ rotation.T
    plane = view.project(world)
    taper = np.array([[p.taper] for p in primitives])
    radius = np.array([[p.radius] for p in primitives]) + taper * corners[:, :, 1]
    # How far the stretched round end reaches along each axis of the world.
    spans = np.abs((axes * stretch[:, :, None]) @ rotation.T)
    grow = np.maximum(radius, 0.0)[:, :, None] * np.linalg.norm(spans, axis=1)[:, None]
    # Perspective over the size of one primitive is negligible.
    near = grow[:, :, :2] / plane[:, :, 2:]
    low, high = plane[:, :, :2] - near, plane[:, :, :2] + near
    deep = grow.max(2)
    depth = plane[:, :, 2]
    depths = float((depth - deep).min()), float((depth + deep).max())
    return Extent(low.min(1), high.max(1), depths)


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

"""Where a figure lies in an image, and the crop a detector would cut."""

from dataclasses import dataclass, replace

import numpy as np

from ..figure.signed_distance import Primitive
from .camera import View


@dataclass(frozen=True)
class Extent:
    """Projected boxes of the primitives on the image plane.

    Args:
        low: Lower left corners, ``(P, 2)``.
        high: Upper right corners, ``(P, 2)``.
        depth: Nearest and farthest distance along the view axis, meters.
    """

    low: np.ndarray
    high: np.ndarray
    depth: tuple[float, float]


def extent(primitives: list[Primitive], turn: np.ndarray, view: View) -> Extent:
    """Project every primitive of a figure that stands at the origin.

    Args:
        primitives: The figure.
        turn: Rotation of the figure, ``(3, 3)``.
        view: The camera.
    """
    lows, highs, depths = [], [], []
    for p in primitives:
        reach = np.array([p.half[0] * p.stretch[0], p.half[2] * p.stretch[1]])
        corners = np.array(
            [[sx, sy, sz] for sx in (-1, 1) for sy in (-1, 1) for sz in (-1, 1)]
        ) * [reach[0], p.half[1], reach[1]]
        world = (p.center + corners @ p.axes) @ turn.T
        plane = view.project(world)
        radius = np.maximum(p.radius + p.taper * corners[:, 1], 0.0)
        # How far the stretched round end reaches along each axis of the world.
        spans = np.abs((p.axes * [[p.stretch[0]], [1.0], [p.stretch[1]]]) @ turn.T)
        grow = radius[:, None] * np.linalg.norm(spans, axis=0)
        # Perspective over the size of one primitive is negligible.
        half = grow[:, [0, 1]] / plane[:, 2:]
        lows.append((plane[:, :2] - half).min(0))
        highs.append((plane[:, :2] + half).max(0))
        deep = grow.max(1)
        depths += [(plane[:, 2] - deep).min(), (plane[:, 2] + deep).max()]
    return Extent(np.stack(lows), np.stack(highs), (min(depths), max(depths)))


def crop(
    view: View, box: Extent, rng: np.random.Generator, error: float, junk: bool = False
) -> View:
    """Cut the image around a person, a little off as detectors are.

    Args:
        view: The camera.
        box: Where the person is.
        rng: Source of randomness.
        error: Standard deviation of the offset, as a share of the height.
        junk: Cut badly: a part of the person only.
    """
    low, high = box.low.min(0), box.high.max(0)
    size = high[1] - low[1]
    fill = rng.uniform(0.88, 0.97) * (1 + rng.normal(0, error))
    width = (high[0] - low[0]) * 2
    height = max(size / fill, 0.8 * width)
    offset = np.clip(rng.normal(0, error * 0.6, 2), -0.12, 0.12) * height * [0.6, 1.0]
    if junk:
        height *= rng.choice([0.45, 1.7])
        offset = rng.uniform(0.25, 0.4, 2) * rng.choice([-1, 1], 2) * height * [0.5, 1]
    return replace(view, center=(low + high) / 2 + offset, height=float(height))

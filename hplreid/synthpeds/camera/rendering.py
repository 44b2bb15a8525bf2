"""From a person, a pose and a view to linear light and a map of parts."""

from dataclasses import dataclass

import numpy as np
import torch

from ..figure.signed_distance import Primitive, Shape
from ..figure.skeleton import Skeleton
from ..wardrobe.identity import Identity
from .camera import View
from .framing import Extent, extent
from .sphere_tracing import march, surface
from .surface_materials import Surface

# Rows of the crop traced together: a band only knows the primitives it can see.
BANDS = 6
# How far beyond its outline a primitive still shades its neighbors, meters.
MARGIN = 0.05


@dataclass(frozen=True)
class Light:
    """Linear light of a scene.

    Args:
        sun: Unit direction toward the main light, ``(3,)``.
        sun_rgb: Its strength, ``(3,)``.
        sky_rgb: Strength of the light from all around, ``(3,)``.
    """

    sun: np.ndarray
    sun_rgb: np.ndarray
    sky_rgb: np.ndarray


def _shade(
    color: torch.Tensor, normal: torch.Tensor, open_sky: torch.Tensor,
    lit: torch.Tensor, view: torch.Tensor, light: Light,
) -> torch.Tensor:  # fmt: skip
    """Diffuse light, sky light and a soft rim, ``(M, 3)``."""
    sun = torch.as_tensor(light.sun, dtype=torch.float32)[:, None]
    direct = (normal * sun).sum(0).clamp_(min=0) * lit
    above = 0.62 + 0.38 * normal[1]
    rim = (1 + (normal * view).sum(0)).clamp_(0, 1).pow(3)
    sky = above * (0.35 + 0.65 * open_sky) * (1 + 0.35 * rim)
    bright = torch.outer(direct, torch.as_tensor(light.sun_rgb, dtype=torch.float32))
    bright += torch.outer(sky, torch.as_tensor(light.sky_rgb, dtype=torch.float32))
    # Even black cloth returns some light at a grazing angle.
    return (color + 0.012 + 0.05 * rim[:, None]) * bright


def draw_person(
    image: np.ndarray,
    parts: np.ndarray,
    person: Identity,
    bones: Skeleton,
    primitives: list[Primitive],
    turn: np.ndarray,
    view: View,
    light: Light,
    box: Extent | None = None,
) -> None:
    """Draw a person into an image and a part map, in place.

    Args:
        image: Linear light, ``(H, W, 3)``.
        parts: Part map, ``(H, W)``.
        person: Who.
        bones: The posed skeleton.
        primitives: The figure from :func:`~.body.make_figure`.
        turn: Rotation of the figure, ``(3, 3)``.
        view: The crop.
        light: The scene's light.
        box: Projected primitives, if known.
    """
    box = extent(primitives, turn, view) if box is None else box
    height, width = parts.shape
    shape = Shape(primitives, turn)
    reach = MARGIN / box.depth[0]
    top_left = view.to_crop(np.stack([box.low[:, 0], box.high[:, 1]], 1))
    low_right = view.to_crop(np.stack([box.high[:, 0], box.low[:, 1]], 1))
    row0, row1 = top_left[:, 0] * height, low_right[:, 0] * height
    col0, col1 = top_left[:, 1] * width, low_right[:, 1] * width
    spread = reach / view.height * height
    first, last = max(0, int(row0.min())), min(height, int(np.ceil(row1.max())))
    edges = np.linspace(first, max(first, last), BANDS + 1).astype(int)
    turned = torch.as_tensor(turn, dtype=torch.float32)
    sun = torch.as_tensor(light.sun, dtype=torch.float32)[:, None]
    origin = torch.as_tensor(view.origin, dtype=torch.float32)[:, None]
    for start, stop in zip(edges[:-1], edges[1:], strict=True):
        touching = (row0 < stop) & (row1 > start)
        if stop <= start or not touching.any():
            continue
        keep = (row0 < stop + spread) & (row1 > start - spread)
        local = shape.subset(keep)
        left = max(0, int(col0[touching].min()))
        right = min(width, int(np.ceil(col1[touching].max())))
        if right <= left:
            continue
        rows, cols = np.mgrid[start:stop, left:right]
        rows, cols = rows.ravel(), cols.ravel()
        rays = view.directions((rows + 0.5) / height, (cols + 0.5) / width)
        slope = view.forward @ rays
        direction = torch.as_tensor(rays, dtype=torch.float32)
        near = torch.as_tensor(box.depth[0] / slope, dtype=torch.float32)
        far = torch.as_tensor(box.depth[1] / slope, dtype=torch.float32)
        found, depth = march(local, origin, direction, near, far)
        if not len(found):
            continue
        seen = direction[:, found]
        hits = surface(local, found, origin + seen * depth, sun)
        part, color = Surface(person, bones, local, hits, turned).resolve()
        shaded = _shade(color, hits.normal, hits.open_sky, hits.lit, seen, light)
        # As NumPy indices: a tensor of one element would index like a scalar.
        at = found.numpy()
        image[rows[at], cols[at]] = shaded.numpy()
        parts[rows[at], cols[at]] = part.numpy()

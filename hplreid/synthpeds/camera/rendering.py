"""Rendering of a posed figure to linear light and a part map."""

from dataclasses import dataclass

import numpy as np
import torch

from ..figure.signed_distance import Primitive, Shape
from ..figure.skeleton import Skeleton
from ..wardrobe.identity import Identity
from .camera import View
from .framing import project_extent
from .sphere_tracing import compute_hits, trace_rays
from .surface_materials import Surface

# Number of bands of rows; each is traced with only the primitives that it can show.
BANDS = 6
# Distance beyond its outline within which a primitive shades its neighbors, meters.
MARGIN = 0.05


@dataclass(frozen=True)
class Light:
    """Light sources of a scene, in linear light.

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
    """Return the light reflected by surface points, ``(M, 3)``."""
    sun = torch.as_tensor(light.sun, dtype=torch.float32)[:, None]
    direct = (normal * sun).sum(0).clamp_(min=0) * lit
    above = 0.62 + 0.38 * normal[1]
    rim = (1 + (normal * view).sum(0)).clamp_(0, 1).pow(3)
    sky = above * (0.35 + 0.65 * open_sky) * (1 + 0.35 * rim)
    bright = torch.outer(direct, torch.as_tensor(light.sun_rgb, dtype=torch.float32))
    bright += torch.outer(sky, torch.as_tensor(light.sky_rgb, dtype=torch.float32))
    # Even black cloth reflects some light at a grazing angle.
    return (color + 0.012 + 0.05 * rim[:, None]) * bright


def render_person(
    image: np.ndarray,
    parts: np.ndarray,
    person: Identity,
    bones: Skeleton,
    primitives: list[Primitive],
    rotation: np.ndarray,
    view: View,
    light: Light,
) -> None:
    """Render a person into an image and a part map, in place.

    Args:
        image: Linear light, ``(H, W, 3)``.
        parts: Part map, ``(H, W)``.
        person: The identity.
        bones: The posed skeleton.
        primitives: The figure from :func:`~.figure.make_figure`.
        rotation: Rotation of the figure, ``(3, 3)``.
        view: The crop.
        light: The scene's light.

    Example:
        >>> import numpy as np
        >>> from hplreid.synthpeds import Difficulty
        >>> from hplreid.synthpeds.camera import CAMERAS, Light, look_at_person
        >>> from hplreid.synthpeds.camera import render_person
        >>> from hplreid.synthpeds.figure import Part, draw_pose, make_figure
        >>> from hplreid.synthpeds.figure import make_skeleton
        >>> from hplreid.synthpeds.wardrobe import make_identity
        >>> person = make_identity(0, 5, Difficulty())
        >>> bones = make_skeleton(person.build, draw_pose(np.random.default_rng(0)))
        >>> image, parts = np.zeros((32, 16, 3)), np.zeros((32, 16), np.uint8)
        >>> light = Light(np.array([0.0, 0.8, 0.6]), np.ones(3), np.ones(3))
        >>> view = look_at_person(CAMERAS[0], 0.0, 1.0)
        >>> figure = make_figure(person, bones)
        >>> render_person(image, parts, person, bones, figure, np.eye(3), view, light)
        >>> bool((parts == Part.UPPER).any())
        True
    """
    extent = project_extent(primitives, rotation, view)
    height, width = parts.shape
    shape = Shape(primitives, rotation)
    reach = MARGIN / extent.depth[0]
    top_left = view.to_crop(np.stack([extent.low[:, 0], extent.high[:, 1]], 1))
    low_right = view.to_crop(np.stack([extent.high[:, 0], extent.low[:, 1]], 1))
    row0, row1 = top_left[:, 0] * height, low_right[:, 0] * height
    col0, col1 = top_left[:, 1] * width, low_right[:, 1] * width
    spread = reach / view.height * height
    first, last = max(0, int(row0.min())), min(height, int(np.ceil(row1.max())))
    edges = np.linspace(first, max(first, last), BANDS + 1).astype(int)
    rotation_tensor = torch.as_tensor(rotation, dtype=torch.float32)
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
        near = torch.as_tensor(extent.depth[0] / slope, dtype=torch.float32)
        far = torch.as_tensor(extent.depth[1] / slope, dtype=torch.float32)
        hit_rays, depth = trace_rays(local, origin, direction, near, far)
        if not len(hit_rays):
            continue
        hit_directions = direction[:, hit_rays]
        hits = compute_hits(local, hit_rays, origin + hit_directions * depth, sun)
        part, color = Surface(
            person, bones, local, hits, rotation_tensor
        ).parts_and_colors()
        shaded = _shade(
            color, hits.normal, hits.open_sky, hits.lit, hit_directions, light
        )
        # NumPy indices, since a tensor of one element would index like a scalar.
        at = hit_rays.numpy()
        image[rows[at], cols[at]] = shaded.numpy()
        parts[rows[at], cols[at]] = part.numpy()

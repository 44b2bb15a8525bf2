"""Rendering of a posed figure to linear light and a part map."""

from dataclasses import dataclass

import numpy as np
import torch

from ..figure.signed_distance import Primitive, Shape
from ..figure.skeleton import Skeleton
from ..wardrobe.identity import Identity
from .camera import View
from .framing import Extent
from .sphere_tracing import Bundle, compute_hits, join_hits, trace_rays
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


@dataclass(frozen=True)
class Subject:
    """A person who stands before a camera.

    Args:
        person: The identity.
        bones: The posed skeleton.
        primitives: The figure from :func:`~.figure.make_figure`.
        rotation: Rotation of the figure, ``(3, 3)``.
        extent: Projected extent of the figure.
        view: The crop.
        light: The scene's light.
    """

    person: Identity
    bones: Skeleton
    primitives: list[Primitive]
    rotation: np.ndarray
    extent: Extent
    view: View
    light: Light


@dataclass(frozen=True)
class Layer:
    """What a person covers in an image.

    Args:
        rows, cols: The pixels, ``(M,)`` each.
        light: Linear light of each, ``(M, 3)``.
        part: :class:`~.body_parts.Part` of each, ``(M,)``.
    """

    rows: np.ndarray
    cols: np.ndarray
    light: np.ndarray
    part: np.ndarray

    def paint(
        self, image: np.ndarray, parts: np.ndarray, part: int | None = None
    ) -> None:
        """Paint over an image and its part map, in place.

        Args:
            image: Linear light, ``(H, W, 3)``.
            parts: Part map, ``(H, W)``.
            part: Value to write into the part map instead of the person's parts.
        """
        image[self.rows, self.cols] = self.light
        parts[self.rows, self.cols] = self.part if part is None else part


@dataclass(frozen=True)
class _Band:
    """Rays through some rows of an image, and their pixels."""

    bundle: Bundle
    rows: np.ndarray
    cols: np.ndarray


def _bands(subject: Subject, height: int, width: int) -> list[_Band]:
    """Divide the rays to a person, each band with the primitives it can show."""
    extent, view = subject.extent, subject.view
    shape = Shape(subject.primitives, subject.rotation)
    reach = MARGIN / extent.depth[0]
    top_left = view.to_crop(np.stack([extent.low[:, 0], extent.high[:, 1]], 1))
    low_right = view.to_crop(np.stack([extent.high[:, 0], extent.low[:, 1]], 1))
    row0, row1 = top_left[:, 0] * height, low_right[:, 0] * height
    col0, col1 = top_left[:, 1] * width, low_right[:, 1] * width
    spread = reach / view.height * height
    first, last = max(0, int(row0.min())), min(height, int(np.ceil(row1.max())))
    edges = np.linspace(first, max(first, last), BANDS + 1).astype(int)
    origin = torch.as_tensor(view.origin, dtype=torch.float32)[:, None]
    bands = []
    for start, stop in zip(edges[:-1], edges[1:], strict=True):
        touching = (row0 < stop) & (row1 > start)
        if stop <= start or not touching.any():
            continue
        left = max(0, int(col0[touching].min()))
        right = min(width, int(np.ceil(col1[touching].max())))
        if right <= left:
            continue
        near_by = (row0 < stop + spread) & (row1 > start - spread)
        rows, cols = np.mgrid[start:stop, left:right]
        rows, cols = rows.ravel(), cols.ravel()
        rays = view.directions((rows + 0.5) / height, (cols + 0.5) / width)
        slope = view.forward @ rays
        near, far = (
            torch.as_tensor(depth / slope, dtype=torch.float32)
            for depth in extent.depth
        )
        direction = torch.as_tensor(rays, dtype=torch.float32)
        bundle = Bundle(shape.subset(near_by), origin, direction, near, far)
        bands.append(_Band(bundle, rows, cols))
    return bands


def _paint_hits(
    subject: Subject,
    bands: list[_Band],
    found: list[tuple[torch.Tensor, torch.Tensor]],
) -> Layer:
    """Color the points where the rays of a person's bands hit."""
    rotation = torch.as_tensor(subject.rotation, dtype=torch.float32)
    sun = torch.as_tensor(subject.light.sun, dtype=torch.float32)[:, None]
    hits, columns, rows, cols = [], [], [], []
    for band, (rays, depth) in zip(bands, found, strict=True):
        if not len(rays):
            continue
        direction = band.bundle.direction[:, rays]
        point = band.bundle.origin + direction * depth
        hits.append(compute_hits(band.bundle.shape, point, sun))
        columns.append((direction, rotation.T @ point, rotation.T @ hits[-1].normal))
        # NumPy indices, since a tensor of one element would index like a scalar.
        at = rays.numpy()
        rows.append(band.rows[at])
        cols.append(band.cols[at])
    if not hits:
        none = np.zeros(0, int)
        return Layer(none, none, np.zeros((0, 3)), none)
    direction, body, facing = (
        torch.cat(column, 1) for column in zip(*columns, strict=True)
    )
    joined = join_hits(hits)
    part, color = Surface(
        subject.person, subject.bones, body, facing, joined
    ).parts_and_colors()
    shaded = _shade(
        color, joined.normal, joined.open_sky, joined.lit, direction, subject.light
    )
    return Layer(
        np.concatenate(rows), np.concatenate(cols), shaded.numpy(), part.numpy()
    )


def render_people(subjects: list[Subject], height: int, width: int) -> list[Layer]:
    """Render people, each before a camera of its own.

    All at once is faster than one after another, with the same result.

    Args:
        subjects: The people.
        height: Height of every image, pixels.
        width: Width of every image, pixels.

    Example:
        >>> import numpy as np
        >>> from hplreid.synthpeds import Difficulty
        >>> from hplreid.synthpeds.camera import CAMERAS, Light, Subject
        >>> from hplreid.synthpeds.camera import look_at_person, render_people
        >>> from hplreid.synthpeds.camera.framing import project_extent
        >>> from hplreid.synthpeds.figure import Part, draw_pose, make_figure
        >>> from hplreid.synthpeds.figure import make_skeleton
        >>> from hplreid.synthpeds.wardrobe import make_identity
        >>> person = make_identity(0, 5, Difficulty())
        >>> bones = make_skeleton(person.build, draw_pose(np.random.default_rng(0)))
        >>> light = Light(np.array([0.0, 0.8, 0.6]), np.ones(3), np.ones(3))
        >>> view = look_at_person(CAMERAS[0], 0.0, 1.0)
        >>> figure = make_figure(person, bones)
        >>> extent = project_extent(figure, np.eye(3), view)
        >>> subject = Subject(person, bones, figure, np.eye(3), extent, view, light)
        >>> layer, = render_people([subject], height=32, width=16)
        >>> bool((layer.part == Part.UPPER).any())
        True
    """
    bands = [_bands(subject, height, width) for subject in subjects]
    found = iter(trace_rays([band.bundle for own in bands for band in own]))
    return [
        _paint_hits(subject, own, [next(found) for _ in own])
        for subject, own in zip(subjects, bands, strict=True)
    ]

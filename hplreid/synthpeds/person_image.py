"""Rendering of one image of one identity, with every random choice it needs."""

from dataclasses import dataclass, replace

import numpy as np

from .camera.backdrop import render_backdrop
from .camera.camera import CAMERAS, Camera, View, look_at_person
from .camera.degradation import record_image
from .camera.framing import crop_view, project_extent
from .camera.occluders import draw_occluder_kind, paint_occluder
from .camera.rendering import Light, render_person
from .difficulty import Difficulty
from .figure.body import make_figure
from .figure.body_parts import Part
from .figure.pose import draw_pose
from .figure.skeleton import make_skeleton
from .randomness import Stream, random_stream
from .sizes import FIRST_IDENTITY
from .wardrobe.identity import Identity, make_identity

# Rays per stored pixel and axis: enough to avoid jagged edges.
OVERSAMPLING = 1.5

# Factor on the stride by lower garment: narrow skirts shorten it.
_STRIDE_FACTORS = {'long skirt': 0.55, 'skirt': 0.75, 'none': 0.8}


@dataclass(frozen=True)
class PersonImage:
    """A rendered image and what it shows.

    Args:
        person: The identity shown.
        camera: Index of the camera, from 0.
        view: ``front``, ``back`` or ``side``.
        walking: Whether the person walks.
        pixels: ``(H, W, 3)`` uint8.
        quality: JPEG quality to store it with.
        parts: :class:`~.body_parts.Part` of each ray, ``(h, w)`` uint8, at the
            rendering resolution.
    """

    person: Identity
    camera: int
    view: str
    walking: bool
    pixels: np.ndarray
    quality: int
    parts: np.ndarray

    def area(self, *parts: Part) -> float:
        """Return the area that shows any of the parts.

        The unit is one pixel of an image of 128 x 64.
        """
        count = sum(int((self.parts == part).sum()) for part in parts)
        return count * 8192 / self.parts.size


def camera_index_of(seed: int, identity_number: int, image_index: int) -> int:
    """Return the camera of an image; six consecutive images use six cameras."""
    order = random_stream(seed, Stream.CAMERA_ORDER, identity_number).permutation(
        len(CAMERAS)
    )
    return int(order[image_index % len(CAMERAS)])


def _draw_heading(rng: np.random.Generator, camera: Camera) -> tuple[str, float]:
    kind = int(np.searchsorted(np.cumsum(camera.views)[:2], rng.random(), 'right'))
    name = ('front', 'back', 'side')[kind]
    middle = (0.0, np.pi, np.pi / 2 * (1 if rng.random() < 0.5 else -1))[kind]
    return name, middle + rng.uniform(-0.5, 0.5)


def _rotation_about_up(angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])


def _draw_light(rng: np.random.Generator, camera: Camera, amount: float) -> Light:
    azimuth, elevation = np.radians(camera.sun) + rng.normal(0, 0.2 * amount, 2)
    sun = np.array(
        [
            np.sin(azimuth) * np.cos(elevation),
            np.sin(elevation),
            np.cos(azimuth) * np.cos(elevation),
        ]
    )
    # Clouds: part of the direct light comes from all around instead.
    cloud = rng.uniform(0, 0.7 * min(amount, 1.4))
    direct = np.array(camera.sun_rgb) * (1 - cloud)
    return Light(sun, direct, np.array(camera.sky_rgb) * (1 + 0.35 * cloud))


def make_image(
    seed: int,
    identity_number: int,
    image_index: int,
    difficulty: Difficulty,
    size: tuple[int, int] = (128, 64),
    junk: bool = False,
) -> PersonImage:
    """Render one image.

    Args:
        seed: Seed of the dataset.
        identity_number: Number of the identity.
        image_index: Index of the image among those of the identity, from 0.
        difficulty: Difficulty settings.
        size: Height and width, pixels; the height is twice the width.
        junk: Whether to crop the image badly.
    """
    person = make_identity(seed, identity_number, difficulty)
    rng = random_stream(seed, Stream.IMAGE, identity_number, image_index)
    camera_index = camera_index_of(seed, identity_number, image_index)
    camera = CAMERAS[camera_index]
    name, angle = _draw_heading(rng, camera)
    rotation = _rotation_about_up(angle)
    carry = None
    if person.attributes.bag == 'handbag':
        carry = (person.details.bag_side + 1) // 2
    pose = draw_pose(rng, carry, _STRIDE_FACTORS.get(person.attributes.lower, 1.0))
    bones = make_skeleton(person.build, pose)
    figure = make_figure(person, bones)
    view = look_at_person(camera, rng.normal(0, 0.8), rng.uniform(0.8, 1.3))
    light = _draw_light(rng, camera, difficulty.light)
    view = crop_view(
        view, project_extent(figure, rotation, view), rng, difficulty.framing, junk
    )
    rows, cols = (round(side * OVERSAMPLING) for side in size)
    place = rng.uniform(-20, 20, 2)
    scene = render_backdrop(camera, view, rows, cols, place, light.sun)
    parts = np.zeros((rows, cols), np.uint8)
    render_person(scene, parts, person, bones, figure, rotation, view, light)
    _maybe_occlude(scene, parts, seed, rng, view, light, difficulty)
    sensor = random_stream(seed, Stream.SENSOR, identity_number, image_index)
    pixels, quality = record_image(
        scene, camera, sensor, size, difficulty.camera, difficulty.light
    )
    walking = pose.stride > 0.12
    return PersonImage(person, camera_index, name, walking, pixels, quality, parts)


def _maybe_occlude(
    scene: np.ndarray,
    parts: np.ndarray,
    seed: int,
    rng: np.random.Generator,
    view: View,
    light: Light,
    difficulty: Difficulty,
) -> None:
    """Draw whether something occludes the person, and render it in place."""
    kind = draw_occluder_kind(rng, difficulty.occlusion)
    if not kind:
        return
    if kind != 'passer-by':
        paint_occluder(scene, parts, kind, rng, Part.OCCLUDER)
        return
    # Strangers are in no split.
    identity_number = FIRST_IDENTITY['stranger'] + int(rng.integers(10_000))
    stranger = make_identity(seed, identity_number, difficulty)
    bones = make_skeleton(stranger.build, draw_pose(rng))
    figure = make_figure(stranger, bones)
    rotation = _rotation_about_up(rng.uniform(0, 2 * np.pi))
    # Moving the view moves the passer-by: a step aside and a little nearer.
    aside = rng.uniform(0.21, 0.31) * (1 if rng.random() < 0.5 else -1)
    moved = view.center - np.array([aside, -0.05]) * view.height
    cover = np.zeros_like(parts)
    shifted = replace(view, center=moved)
    render_person(scene, cover, stranger, bones, figure, rotation, shifted, light)
    parts[cover > 0] = Part.OCCLUDER

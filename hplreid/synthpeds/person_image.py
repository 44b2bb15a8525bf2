"""Rendering of one image of one identity, with every random choice it needs."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from .camera.backdrop import render_backdrop
from .camera.camera import CAMERAS, Camera, View, look_at_person
from .camera.degradation import record_image
from .camera.framing import crop_view, project_extent
from .camera.occluders import draw_occluder_kind, paint_occluder
from .camera.rendering import Layer, Light, Subject, render_people
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


# The images of an identity are rendered one after another.
_identity = lru_cache(maxsize=64)(make_identity)


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
        occluder: What stands in front of the person, a key of ``OCCLUDER_WEIGHTS``, or
            '' for nothing.
        hidden: Share of the person, as far as the crop has them, that it hides; in
            [0, 1].
    """

    person: Identity
    camera: int
    view: str
    walking: bool
    pixels: np.ndarray
    quality: int
    parts: np.ndarray
    occluder: str = ''
    hidden: float = 0.0

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


@dataclass(frozen=True)
class ImageRequest:
    """Which image to render.

    Args:
        identity_number: Number of the identity.
        image_index: Index of the image among those of the identity, from 0.
        junk: Whether to crop the image badly.
    """

    identity_number: int
    image_index: int
    junk: bool = False


@dataclass(frozen=True)
class _Draft:
    """Every choice that an image needs before anything is rendered."""

    request: ImageRequest
    camera: int
    view: str
    walking: bool
    place: np.ndarray
    subject: Subject
    occluder: str
    passer_by: Subject | None
    rng: np.random.Generator


def _draft(seed: int, request: ImageRequest, difficulty: Difficulty) -> _Draft:
    """Draw what an image shows, in an order that decides every later draw."""
    number, index = request.identity_number, request.image_index
    person = _identity(seed, number, difficulty)
    rng = random_stream(seed, Stream.IMAGE, number, index)
    camera_index = camera_index_of(seed, number, index)
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
    extent = project_extent(figure, rotation, view)
    view = crop_view(view, extent, rng, difficulty.framing, request.junk)
    place = rng.uniform(-20, 20, 2)
    subject = Subject(person, bones, figure, rotation, extent, view, light)
    occluder = draw_occluder_kind(rng, difficulty.occlusion)
    passer_by = None
    if occluder == 'passer-by':
        passer_by = _draw_passer_by(seed, rng, view, light, difficulty)
    walking = pose.stride > 0.12
    return _Draft(
        request, camera_index, name, walking, place, subject, occluder, passer_by, rng
    )


def _draw_passer_by(
    seed: int,
    rng: np.random.Generator,
    view: View,
    light: Light,
    difficulty: Difficulty,
) -> Subject:
    # Strangers are in no split.
    identity_number = FIRST_IDENTITY['stranger'] + int(rng.integers(10_000))
    stranger = _identity(seed, identity_number, difficulty)
    bones = make_skeleton(stranger.build, draw_pose(rng))
    figure = make_figure(stranger, bones)
    rotation = _rotation_about_up(rng.uniform(0, 2 * np.pi))
    # Moving the view moves the passer-by: a step aside and a little nearer.
    aside = rng.uniform(0.21, 0.31) * (1 if rng.random() < 0.5 else -1)
    moved = view.center - np.array([aside, -0.05]) * view.height
    shifted = replace(view, center=moved)
    extent = project_extent(figure, rotation, shifted)
    return Subject(stranger, bones, figure, rotation, extent, shifted, light)


def _compose(
    draft: _Draft, layers: list[Layer], rows: int, cols: int
) -> tuple[np.ndarray, np.ndarray, float]:
    """Return the linear light, ``(rows, cols, 3)``, of an image and its part map.

    And the share of the person that is hidden.
    """
    scene = np.empty((rows, cols, 3))
    parts = np.zeros((rows, cols), np.uint8)
    layers[0].paint(scene, parts, None)
    whole = np.count_nonzero(parts)
    for layer in layers[1:]:
        layer.paint(scene, parts, Part.OCCLUDER)
    # What people cover needs no backdrop.
    free = np.nonzero(parts == 0)
    subject = draft.subject
    scene[free] = render_backdrop(
        CAMERAS[draft.camera],
        subject.view,
        (free[0] + 0.5) / rows,
        (free[1] + 0.5) / cols,
        draft.place,
        subject.light.sun,
    )
    if draft.occluder and not draft.passer_by:
        paint_occluder(scene, parts, draft.occluder, draft.rng, Part.OCCLUDER)
    seen = np.count_nonzero((parts != Part.BACKGROUND) & (parts != Part.OCCLUDER))
    return scene, parts, float(1 - seen / whole) if whole else 0.0


def make_images(
    seed: int,
    requests: list[ImageRequest],
    difficulty: Difficulty,
    size: tuple[int, int] = (128, 64),
) -> list[PersonImage]:
    """Render several images; faster than one after another, with the same result.

    Args:
        seed: Seed of the dataset.
        requests: Which images.
        difficulty: Difficulty settings.
        size: Height and width, pixels; the height is twice the width.
    """
    drafts = [_draft(seed, request, difficulty) for request in requests]
    rows, cols = (round(side * OVERSAMPLING) for side in size)
    subjects = [
        [d.subject, d.passer_by] if d.passer_by else [d.subject] for d in drafts
    ]
    layers = iter(render_people([s for group in subjects for s in group], rows, cols))
    images = []
    for draft, group in zip(drafts, subjects, strict=True):
        own = [next(layers) for _ in group]
        scene, parts, hidden = _compose(draft, own, rows, cols)
        sensor = random_stream(
            seed,
            Stream.SENSOR,
            draft.request.identity_number,
            draft.request.image_index,
        )
        pixels, quality = record_image(
            scene,
            CAMERAS[draft.camera],
            sensor,
            size,
            difficulty.camera,
            difficulty.light,
        )
        images.append(
            PersonImage(
                draft.subject.person,
                draft.camera,
                draft.view,
                draft.walking,
                pixels,
                quality,
                parts,
                draft.occluder,
                hidden,
            )
        )
    return images


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
    request = ImageRequest(identity_number, image_index, junk)
    return make_images(seed, [request], difficulty, size)[0]

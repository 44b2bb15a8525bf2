"""One image of one person: everything that chance decides, in one place."""

from dataclasses import dataclass, replace

import numpy as np

from .camera.backdrop import draw_backdrop
from .camera.camera import CAMERAS, Camera, View, look_at_person
from .camera.degradation import record
from .camera.framing import crop, extent
from .camera.occluders import draw_kind, occlude
from .camera.rendering import Light, draw_person
from .difficulty import Difficulty
from .figure.body import make_figure
from .figure.body_parts import Part
from .figure.pose import draw_pose
from .figure.skeleton import make_skeleton
from .randomness import Stream, stream
from .sizes import ROLES
from .wardrobe.identity import Identity, make_identity

# Rays per stored pixel and axis: enough against jagged edges, and no more.
OVERSAMPLING = 1.5

_STEP = {'long skirt': 0.55, 'skirt': 0.75, 'none': 0.8}


@dataclass(frozen=True)
class PersonImage:
    """A finished image and what it shows.

    Args:
        person: Who is seen.
        camera: Index of the camera, from 0.
        view: ``front``, ``back`` or ``side``.
        walking: Whether the person walks.
        pixels: ``(H, W, 3)`` uint8.
        quality: JPEG quality to store it with.
        parts: Part map at the rendering resolution, ``(h, w)`` uint8.
    """

    person: Identity
    camera: int
    view: str
    walking: bool
    pixels: np.ndarray
    quality: int
    parts: np.ndarray

    def area(self, *parts: Part) -> float:
        """Share of the image that shows any of the parts, in 1/8192.

        The unit is one pixel of an image of 128 x 64.
        """
        count = sum(int((self.parts == part).sum()) for part in parts)
        return count * 8192 / self.parts.size


def camera_of(seed: int, number: int, index: int) -> int:
    """Which camera takes an image: six images in a row see six cameras."""
    order = stream(seed, Stream.CAMERA_ORDER, number).permutation(len(CAMERAS))
    return int(order[index % len(CAMERAS)])


def _heading(rng: np.random.Generator, camera: Camera) -> tuple[str, float]:
    kind = int(np.searchsorted(np.cumsum(camera.views)[:2], rng.random(), 'right'))
    name = ('front', 'back', 'side')[kind]
    middle = (0.0, np.pi, np.pi / 2 * (1 if rng.random() < 0.5 else -1))[kind]
    return name, middle + rng.uniform(-0.5, 0.5)


def _rotation(angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])


def _light(rng: np.random.Generator, camera: Camera, amount: float) -> Light:
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
    number: int,
    index: int,
    difficulty: Difficulty,
    size: tuple[int, int] = (128, 64),
    junk: bool = False,
) -> PersonImage:
    """Render one image.

    Args:
        seed: Seed of the dataset.
        number: Identity number.
        index: Number of the image of that identity, from 0.
        difficulty: The dials.
        size: Height and width, pixels; the height is twice the width.
        junk: Cut the image badly.
    """
    person = make_identity(seed, number, difficulty)
    rng = stream(seed, Stream.IMAGE, number, index)
    camera_index = camera_of(seed, number, index)
    camera = CAMERAS[camera_index]
    name, angle = _heading(rng, camera)
    turn = _rotation(angle)
    carry = None
    if person.words.bag == 'handbag':
        carry = (person.details.bag_side + 1) // 2
    pose = draw_pose(rng, carry, _STEP.get(person.words.lower, 1.0))
    bones = make_skeleton(person.build, pose)
    figure = make_figure(person, bones)
    view = look_at_person(camera, rng.normal(0, 0.8), rng.uniform(0.8, 1.3))
    light = _light(rng, camera, difficulty.light)
    view = crop(view, extent(figure, turn, view), rng, difficulty.framing, junk)
    rows, cols = (round(side * OVERSAMPLING) for side in size)
    place = rng.uniform(-20, 20, 2)
    scene = draw_backdrop(camera, view, rows, cols, place, light.sun)
    parts = np.zeros((rows, cols), np.uint8)
    draw_person(scene, parts, person, bones, figure, turn, view, light)
    _stand_before(scene, parts, seed, rng, view, light, difficulty)
    sensor = stream(seed, Stream.SENSOR, number, index)
    pixels, quality = record(
        scene, camera, sensor, size, difficulty.camera, difficulty.light
    )
    walking = pose.stride > 0.12
    return PersonImage(person, camera_index, name, walking, pixels, quality, parts)


def _stand_before(
    scene: np.ndarray,
    parts: np.ndarray,
    seed: int,
    rng: np.random.Generator,
    view: View,
    light: Light,
    difficulty: Difficulty,
) -> None:
    """Put an object or a passer-by in front of the person, if chance says so."""
    kind = draw_kind(rng, difficulty.occlusion)
    if not kind:
        return
    if kind != 'passer-by':
        occlude(scene, parts, kind, rng, Part.OCCLUDER)
        return
    # Somebody who lives in no split.
    number = ROLES['stranger'] + int(rng.integers(10_000))
    stranger = make_identity(seed, number, difficulty)
    bones = make_skeleton(stranger.build, draw_pose(rng))
    figure = make_figure(stranger, bones)
    turn = _rotation(rng.uniform(0, 2 * np.pi))
    # To move the view is to move the passer-by: a step aside and a little nearer.
    aside = rng.uniform(0.21, 0.31) * (1 if rng.random() < 0.5 else -1)
    moved = view.center - np.array([aside, -0.05]) * view.height
    cover = np.zeros_like(parts)
    shifted = replace(view, center=moved)
    draw_person(scene, cover, stranger, bones, figure, turn, shifted, light)
    parts[cover > 0] = Part.OCCLUDER

"""Backgrounds: a ground plane and a wall, textured in world coordinates."""

import numpy as np

from .camera import Camera, View


def _noise(x: np.ndarray, y: np.ndarray, seed: float) -> np.ndarray:
    """Return a smooth pseudo-random pattern within about -1 to 1."""
    total = np.zeros_like(x)
    for octave in range(3):
        f, s = 2.03**octave, seed + 1.7 * octave
        total += np.sin(f * 1.3 * x + 2.1 * np.sin(f * 0.9 * y + s) + s) / 2**octave
        total += np.sin(f * 1.1 * y + 1.9 * np.sin(f * 1.2 * x - s) - s) / 2**octave
    return total / 3.5


def _grid(x: np.ndarray, y: np.ndarray, pitch: float, gap: float) -> np.ndarray:
    """Return 1 on the joints of a grid of slabs, else 0."""
    return ((x % pitch < gap) | (y % pitch < gap)).astype(float)


def _random_cells(x: np.ndarray, y: np.ndarray, cell: float) -> np.ndarray:
    """Return one pseudo-random value in 0-1 for every square cell of the plane."""
    i, j = np.floor(x / cell), np.floor(y / cell)
    return np.modf(np.abs(np.sin(i * 12.9898 + j * 78.233) * 43758.5453))[0]


def _mix(value: np.ndarray, dark: list[float], light: list[float]) -> np.ndarray:
    """Interpolate two colors by a value clipped to 0-1, ``(N, 3)``."""
    value = np.clip(value, 0, 1)[:, None]
    return np.array(dark) * (1 - value) + np.array(light) * value


def _ground(kind: str, x: np.ndarray, z: np.ndarray) -> np.ndarray:
    if kind == 'grass':
        path = (np.abs(x * 0.5 + z * 0.3) % 9 < 2.2)[:, None]
        blade = (
            0.5
            + 0.3 * _noise(x * 3, z * 3, 1.0)
            + 0.4 * (_random_cells(x, z, 0.05) - 0.5)
        )
        green = _mix(blade, [0.05, 0.09, 0.02], [0.17, 0.24, 0.07])
        return np.where(path, _mix(blade, [0.3, 0.26, 0.2], [0.4, 0.36, 0.3]), green)
    if kind == 'tiles':
        check = _random_cells(x, z, 0.6)
        base = _mix(check, [0.30, 0.29, 0.28], [0.46, 0.45, 0.43])
        return base * (1 - 0.5 * _grid(x, z, 0.6, 0.03))[:, None]
    if kind == 'corridor':
        base = _mix(0.5 + 0.4 * _noise(x, z, 3.0), [0.2, 0.21, 0.2], [0.3, 0.31, 0.29])
        line = (np.abs(x - 1.2) < 0.06)[:, None]
        return np.where(line, [0.55, 0.48, 0.12], base)
    if kind == 'shop':
        base = _mix(
            0.5 + 0.3 * _noise(x, z, 2.0), [0.24, 0.22, 0.21], [0.4, 0.38, 0.36]
        )
        return base * (1 - 0.35 * _grid(x, z, 0.9, 0.03))[:, None]
    value = 0.5 + 0.3 * _noise(x, z, 0.0) + 0.25 * (_random_cells(x, z, 0.04) - 0.5)
    base = _mix(value, [0.22, 0.22, 0.22], [0.36, 0.35, 0.33])
    return base * (1 - 0.3 * _grid(x, z, 1.2, 0.04))[:, None]


def _wall(kind: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    if kind == 'grass':
        leaf = 0.45 + 0.5 * _noise(x * 2, y * 2, 4.0)
        return _mix(leaf, [0.02, 0.04, 0.015], [0.12, 0.19, 0.06])
    if kind == 'shop':
        frame = ((x % 2.4 < 0.15) | (y < 0.45) | (y > 2.6))[:, None]
        goods = _random_cells(x, y, 0.35)
        glass = _mix(goods, [0.05, 0.06, 0.07], [0.34, 0.3, 0.26])
        sign = np.where((y > 2.6)[:, None], [0.30, 0.06, 0.05], [0.10, 0.10, 0.11])
        return np.where(frame, sign, glass)
    if kind == 'wall':
        row = np.floor(y / 0.09)
        shift = x + 0.13 * (row % 2)
        joint = (y % 0.09 < 0.015) | (shift % 0.26 < 0.018)
        brick = _mix(
            _random_cells(shift, y, 0.09), [0.20, 0.09, 0.06], [0.34, 0.17, 0.11]
        )
        return np.where(joint[:, None], [0.38, 0.35, 0.31], brick)
    if kind == 'corridor':
        door = (x % 3.1 < 1.0)[:, None] & (y < 2.1)[:, None]
        plain = np.where((y < 1.0)[:, None], [0.22, 0.29, 0.29], [0.55, 0.56, 0.52])
        return np.where(door, [0.24, 0.16, 0.10], plain)
    if kind == 'tiles':
        return _mix(0.5 + 0.3 * _noise(x, y, 5.0), [0.38, 0.38, 0.4], [0.5, 0.5, 0.5])
    car = (y < 1.35) & (x % 6.3 < 3.4)
    paint = _mix(_random_cells(x, y * 0, 6.3), [0.05, 0.06, 0.08], [0.5, 0.45, 0.45])
    wall = _mix(0.5 + 0.4 * _noise(x, y, 6.0), [0.28, 0.27, 0.25], [0.44, 0.42, 0.4])
    window = ((x % 2.0 > 1.1) & (y > 1.6) & (y % 1.8 < 1.1))[:, None]
    wall = np.where(window, [0.07, 0.08, 0.10], wall)
    return np.where(car[:, None], paint, wall)


def _distance_to_plane(offset: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """Return the distances along rays to a plane below or behind; 1e3 for never.

    Args:
        offset: Plane minus start of the rays, along the plane's normal.
        slope: Component of the unit directions along that normal, ``(N,)``.
    """
    approaching = slope < -1e-3
    return np.where(approaching, offset / np.where(approaching, slope, -1.0), 1e3)


def _shade_at_feet(
    x: np.ndarray, z: np.ndarray, sun: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return a person's shadow on the ground and the shade of contact, 0-1 each."""
    # The shadow is an ellipse that starts at the feet.
    flat = -np.array([sun[0], sun[2]]) / max(sun[1], 0.25)
    along = np.clip((x * flat[0] + z * flat[1]) / (flat @ flat + 1e-6), 0, 1.7)
    away = np.hypot(x - along * flat[0], z - along * flat[1])
    shadow = np.exp(-((away / 0.28) ** 4)) * 0.75
    return shadow, np.exp(-((np.hypot(x, z) / 0.42) ** 2))


def render_backdrop(
    camera: Camera,
    view: View,
    rows: np.ndarray,
    cols: np.ndarray,
    place: np.ndarray,
    sun: np.ndarray,
) -> np.ndarray:
    """Return the linear light of the scene behind a person, ``(N, 3)``.

    Args:
        camera: The camera; gives backdrop and light.
        view: The crop.
        rows: Vertical position in the crop, 0 (top) to 1, ``(N,)``.
        cols: Horizontal position in the crop, 0 (left) to 1, ``(N,)``.
        place: Position of the person in the scene, meters, ``(2,)``.
        sun: Unit direction toward the light, ``(3,)``.

    Example:
        >>> import numpy as np
        >>> from hplreid.synthpeds.camera import CAMERAS, look_at_person
        >>> from hplreid.synthpeds.camera import render_backdrop
        >>> view = look_at_person(CAMERAS[0], shift=0.0, near=1.0)
        >>> sun = np.array([0.0, 0.8, 0.6])
        >>> rows, cols = np.array([0.1, 0.5, 0.9]), np.full(3, 0.5)
        >>> render_backdrop(CAMERAS[0], view, rows, cols, np.zeros(2), sun).shape
        (3, 3)
    """
    rays = view.directions(rows, cols)
    start = view.origin[:, None]
    depth = {'wall': 1.6, 'shop': 2.2, 'corridor': 5.0}.get(camera.backdrop, 9.0)
    to_ground = _distance_to_plane(-start[1], rays[1])
    to_wall = _distance_to_plane(-depth - start[2], rays[2])
    point = start + rays * np.minimum(np.minimum(to_ground, to_wall), 60)
    result = np.empty((len(rows), 3))
    below = np.flatnonzero(to_ground < to_wall)
    behind = np.flatnonzero(to_ground >= to_wall)
    x, _, z = point[:, below]
    albedo = _ground(camera.backdrop, x + place[0], z + place[1])
    shadow, contact = _shade_at_feet(x, z, sun)
    light = np.outer(max(sun[1], 0.0) * (1 - shadow), camera.sun_rgb)
    light += np.outer(1 - 0.5 * contact, camera.sky_rgb)
    result[below] = albedo * light
    x, y, _ = point[:, behind]
    albedo = _wall(camera.backdrop, x + place[0], y)
    light = max(sun[2], 0.0) * np.array(camera.sun_rgb) + np.array(camera.sky_rgb)
    result[behind] = albedo * light
    return result

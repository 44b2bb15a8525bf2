"""The six cameras: viewpoint, light and recording quality of each."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Camera:
    """A fixed surveillance camera.

    Args:
        height: Meters above the ground.
        distance: Meters to a typical passer-by.
        backdrop: Name of the background, see :mod:`~.camera.backdrop`.
        sun: Azimuth (0 from behind the camera, positive from the right) and
            elevation of the main light, degrees.
        sun_rgb: Linear strength of the main light.
        sky_rgb: Linear strength of the light from above and around.
        cast: Gains of the recorded channels: the error of the white balance.
        blur: Standard deviation of the optical blur, pixels of a 128-high crop.
        zoom: Resolution of the recording relative to that of the crop, at most 1.
        noise: Standard deviation of the sensor noise, 0-1.
        quality: JPEG quality.
        views: Probabilities that a person walks toward, away from and past the
            camera.
    """

    height: float
    distance: float
    backdrop: str
    sun: tuple[float, float]
    sun_rgb: tuple[float, float, float]
    sky_rgb: tuple[float, float, float]
    cast: tuple[float, float, float]
    blur: float
    zoom: float
    noise: float
    quality: int
    views: tuple[float, float, float]


CAMERAS: tuple[Camera, ...] = (
    Camera(2.6, 7.0, 'pavement', (-50, 48), (1.15, 1.08, 0.95), (0.50, 0.54, 0.60),
           (1.00, 1.00, 1.00), 0.25, 1.0, 0.010, 88, (0.4, 0.4, 0.2)),
    Camera(3.4, 9.0, 'grass', (60, 35), (1.25, 1.12, 0.88), (0.42, 0.47, 0.52),
           (1.06, 1.00, 0.90), 0.40, 0.85, 0.016, 78, (0.35, 0.35, 0.3)),
    Camera(2.2, 5.0, 'shop', (15, 60), (0.62, 0.60, 0.60), (0.62, 0.63, 0.64),
           (0.93, 1.00, 1.10), 0.30, 0.95, 0.018, 82, (0.2, 0.2, 0.6)),
    Camera(4.4, 10.0, 'tiles', (-120, 55), (0.95, 0.95, 0.92), (0.55, 0.56, 0.56),
           (0.98, 1.05, 0.95), 0.55, 0.70, 0.020, 68, (0.45, 0.35, 0.2)),
    Camera(2.8, 6.0, 'wall', (100, 30), (1.05, 0.85, 0.62), (0.36, 0.38, 0.46),
           (1.10, 0.99, 0.84), 0.35, 0.90, 0.024, 75, (0.3, 0.3, 0.4)),
    Camera(3.0, 8.0, 'corridor', (0, 78), (0.55, 0.58, 0.56), (0.50, 0.54, 0.53),
           (0.90, 1.04, 1.00), 0.60, 0.60, 0.028, 62, (0.4, 0.45, 0.15)),
)  # fmt: skip


@dataclass(frozen=True)
class View:
    """A pinhole camera that looks at one person.

    Args:
        origin: Position in meters, ``(3,)``; the person stands near the origin.
        right, up, forward: Orthonormal axes, ``(3,)`` each.
        center: Center of the crop on the image plane at depth 1, ``(2,)``.
        height: Height of the crop on that plane; it is half as wide.
    """

    origin: np.ndarray
    right: np.ndarray
    up: np.ndarray
    forward: np.ndarray
    center: np.ndarray
    height: float

    def directions(self, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        """Return unit ray directions, ``(3, N)``.

        Args:
            rows: Vertical position in the crop, 0 (top) to 1, ``(N,)``.
            cols: Horizontal position in the crop, 0 (left) to 1, ``(N,)``.
        """
        a = self.center[0] + (cols - 0.5) * self.height / 2
        b = self.center[1] - (rows - 0.5) * self.height
        rays = self.forward[:, None] + np.outer(self.right, a) + np.outer(self.up, b)
        return rays / np.linalg.norm(rays, axis=0)

    def project(self, points: np.ndarray) -> np.ndarray:
        """Project points, ``(..., 3)``, to the image plane and depth, ``(..., 3)``."""
        seen = (points - self.origin) @ np.stack([self.right, self.up, self.forward]).T
        return np.concatenate([seen[..., :2] / seen[..., 2:], seen[..., 2:]], -1)

    def to_crop(self, plane: np.ndarray) -> np.ndarray:
        """Return (row, col) in 0-1 of image-plane coordinates, ``(N, 2)``."""
        offset = (plane[:, :2] - self.center) / self.height
        return np.stack([0.5 - offset[:, 1], 0.5 + 2 * offset[:, 0]], 1)


def look_at_person(camera: Camera, shift: float, near: float) -> View:
    """Return the view of a camera toward a person, not yet cropped.

    Args:
        camera: The camera.
        shift: Sideways position of the camera relative to the person, meters.
        near: Factor on the camera's distance.

    Example:
        >>> from hplreid.synthpeds.camera import CAMERAS, look_at_person
        >>> look_at_person(CAMERAS[0], shift=0.5, near=1.0).origin
        array([0.5, 2.6, 7. ])
    """
    origin = np.array([shift, camera.height, camera.distance * near])
    forward = np.array([0.0, 0.9, 0.0]) - origin
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0.0, 1.0, 0.0])
    right /= np.linalg.norm(right)
    up = np.cross(right, forward)
    return View(origin, right, up, forward, np.zeros(2), 1.0)

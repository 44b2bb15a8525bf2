"""Degradation of an image by lens, sensor and recorder."""

import numpy as np
from PIL import Image

from .camera import Camera


def _blur(image: np.ndarray, sigma: float) -> np.ndarray:
    """Apply a Gaussian blur to ``(H, W, 3)``, repeating the edges."""
    if sigma < 0.15:
        return image
    radius = int(np.ceil(2.5 * sigma))
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    weights /= weights.sum()
    for axis in (0, 1):
        pad = [(0, 0)] * 3
        pad[axis] = (radius, radius)
        padded = np.pad(image, pad, mode='edge')
        size = image.shape[axis]
        image = sum(
            w * np.take(padded, range(i, i + size), axis) for i, w in enumerate(weights)
        )
    return image


def _resize(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize every channel with a triangle filter (area-like when shrinking)."""
    channels = [
        Image.fromarray(np.ascontiguousarray(image[..., i], dtype=np.float32))
        .resize((width, height), Image.Resampling.BILINEAR)
        for i in range(3)
    ]  # fmt: skip
    return np.stack([np.asarray(channel) for channel in channels], -1)


def record_image(
    image: np.ndarray,
    camera: Camera,
    rng: np.random.Generator,
    size: tuple[int, int],
    strength: float,
    light: float,
) -> tuple[np.ndarray, int]:
    """Convert linear light into the image that a camera stores.

    Args:
        image: Linear light, ``(h, w, 3)``, at any resolution.
        camera: The camera.
        rng: Random generator.
        size: Height and width of the stored image, pixels.
        strength: Strength of the camera's degradations; 0 is a perfect camera.
        light: Strength of the changes of exposure; 0 is none.

    Returns:
        The image, ``(H, W, 3)`` uint8, and the JPEG quality to store it with.

    Example:
        >>> import numpy as np
        >>> from hplreid.synthpeds.camera import CAMERAS, record_image
        >>> light, rng = np.full((12, 6, 3), 0.2), np.random.default_rng(0)
        >>> image, quality = record_image(light, CAMERAS[0], rng, (8, 4), 0.0, 0.0)
        >>> image.shape, int(image[0, 0, 0]), quality
        ((8, 4, 3), 122, 95)
    """
    height, width = size
    gain = 2 ** np.clip(rng.normal(0, 0.28 * light), -0.9, 0.8)
    cast = np.array(camera.cast) ** strength * np.exp(rng.normal(0, 0.025 * light, 3))
    zoom = 1 - (1 - camera.zoom) * strength * rng.uniform(0.6, 1.2)
    zoom = float(np.clip(zoom, 0.3, 1.0))
    small = _resize(image, round(height * zoom), round(width * zoom))
    small = np.clip(small * gain * cast, 0, 1.6)
    small = small / (1 + 0.22 * small * small)  # highlights roll off
    stored = np.clip(small, 0, 1) ** (1 / 2.2)
    stored = stored + rng.normal(0, camera.noise * strength * 0.8, stored.shape)
    stored = _resize(stored, height, width)
    blur = camera.blur * strength * rng.uniform(0.6, 1.6)
    stored = np.clip(_blur(stored, blur) * 255, 0, 255)
    quality = round(95 - (95 - camera.quality) * min(strength, 2))
    return np.round(stored).astype(np.uint8), quality

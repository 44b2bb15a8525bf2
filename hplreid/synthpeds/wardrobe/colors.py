"""Color words, their sRGB anchors, and shades drawn around them in Lab space."""

import numpy as np

# sRGB, 0-255. Cloth is muted: no anchor is a pure primary.
COLOR_ANCHORS: dict[str, tuple[int, int, int]] = {
    'black': (26, 26, 29),
    'dark gray': (72, 73, 76),
    'gray': (128, 129, 131),
    'light gray': (183, 184, 185),
    'white': (238, 238, 235),
    'navy': (30, 38, 82),
    'blue': (50, 88, 146),
    'light blue': (135, 175, 214),
    'teal': (32, 116, 120),
    'green': (58, 130, 70),
    'dark green': (32, 66, 46),
    'olive': (100, 98, 52),
    'yellow': (228, 196, 62),
    'orange': (216, 116, 42),
    'red': (178, 36, 42),
    'maroon': (92, 26, 38),
    'pink': (222, 148, 166),
    'purple': (98, 60, 124),
    'brown': (98, 66, 44),
    'beige': (206, 184, 146),
}

HAIR_ANCHORS: dict[str, tuple[int, int, int]] = {
    'black': (26, 23, 22),
    'brown': (76, 50, 34),
    'blonde': (196, 160, 98),
    'gray': (150, 149, 148),
    'red': (138, 62, 32),
}

SKIN_TONES: tuple[tuple[int, int, int], ...] = (
    (236, 196, 170),
    (222, 174, 142),
    (198, 146, 112),
    (160, 110, 80),
    (112, 74, 54),
    (78, 52, 40),
)

# scikit-image rounds the matrix to six digits, which would change rendered images.
_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
_WHITE = np.array([0.95047, 1.0, 1.08883])


def srgb_to_linear(rgb: np.ndarray) -> np.ndarray:
    """Convert sRGB in 0-1 to linear light in 0-1."""
    rgb = np.asarray(rgb, float)
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(linear: np.ndarray) -> np.ndarray:
    """Convert linear light in 0-1 to sRGB in 0-1."""
    linear = np.clip(linear, 0.0, 1.0)
    curved = 1.055 * linear ** (1 / 2.4) - 0.055
    return np.where(linear <= 0.0031308, 12.92 * linear, curved)


def rgb_to_lab(rgb: np.ndarray) -> np.ndarray:
    """Convert sRGB in 0-255, ``(..., 3)``, to CIE Lab under D65."""
    xyz = srgb_to_linear(np.asarray(rgb, float) / 255) @ _TO_XYZ.T / _WHITE
    small = xyz * (841 / 108) + 4 / 29
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), small)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1)


def lab_to_rgb(lab: np.ndarray) -> np.ndarray:
    """Convert CIE Lab under D65, ``(..., 3)``, to sRGB in 0-255, clipped to gamut."""
    lab = np.asarray(lab, float)
    y = (lab[..., 0] + 16) / 116
    f = np.stack([y + lab[..., 1] / 500, y, y - lab[..., 2] / 200], -1)
    xyz = np.where(f > 6 / 29, f**3, (f - 4 / 29) * 108 / 841) * _WHITE
    return 255 * linear_to_srgb(xyz @ np.linalg.inv(_TO_XYZ).T)


_NAMES = list(COLOR_ANCHORS)
_LAB = rgb_to_lab(np.array(list(COLOR_ANCHORS.values())))


def nearest_color_word(rgb: np.ndarray) -> str:
    """Return the color word whose anchor lies nearest in Lab space.

    Args:
        rgb: sRGB in 0-255, ``(3,)``.

    Example:
        >>> from hplreid.synthpeds.wardrobe import nearest_color_word
        >>> nearest_color_word((40, 40, 90))
        'navy'
    """
    distance = np.linalg.norm(_LAB - rgb_to_lab(np.asarray(rgb, float)), axis=-1)
    return _NAMES[int(distance.argmin())]


def draw_shade(rng: np.random.Generator, word: str, spread: float = 1.0) -> np.ndarray:
    """Draw a shade to which ``word`` is the nearest color word.

    Args:
        rng: Random generator.
        word: A key of :data:`COLOR_ANCHORS`.
        spread: Scale of the deviation; 1 is about 6 units of Lab.

    Returns:
        sRGB in 0-255, ``(3,)``.
    """
    anchor = rgb_to_lab(np.array(COLOR_ANCHORS[word]))
    for _ in range(20):
        offset = rng.uniform(-1, 1, 3) * np.array([7.0, 5.0, 6.0]) * spread
        # Cloth fades: less chroma than the anchor is common, more is rare.
        offset[1:] -= anchor[1:] * rng.uniform(0, 0.45)
        rgb = lab_to_rgb(anchor + offset)
        if nearest_color_word(rgb) == word:
            return rgb
    return np.array(COLOR_ANCHORS[word], float)


def jitter_color(
    rng: np.random.Generator, rgb: tuple[int, ...], amount: float
) -> np.ndarray:
    """Draw a color near ``rgb``, each Lab channel moved by at most ``amount``."""
    return lab_to_rgb(rgb_to_lab(np.array(rgb)) + rng.uniform(-1, 1, 3) * amount)

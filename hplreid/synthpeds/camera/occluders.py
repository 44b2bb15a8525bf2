"""Objects that stand between the camera and the person."""

import numpy as np

from ..randomness import draw_weighted

# Kinds of occluders and how often each occurs relative to the others.
OCCLUDER_WEIGHTS = {'pole': 3, 'box': 3, 'bench': 2, 'plant': 2, 'passer-by': 3}


def draw_occluder_kind(rng: np.random.Generator, probability: float) -> str:
    """Draw a key of :data:`OCCLUDER_WEIGHTS`, or '' for no occluder."""
    blocked = rng.random() < probability
    kind = draw_weighted(rng, OCCLUDER_WEIGHTS)
    return kind if blocked else ''


def paint_occluder(
    image: np.ndarray,
    parts: np.ndarray,
    kind: str,
    rng: np.random.Generator,
    fill: int,
) -> None:
    """Paint an object over an image and its part map, in place.

    Args:
        image: Linear light, ``(H, W, 3)``.
        parts: Part map, ``(H, W)``.
        kind: ``pole``, ``box``, ``bench`` or ``plant``.
        rng: Random generator.
        fill: Value to write into the part map.
    """
    height, width = parts.shape
    row, col = np.mgrid[0:height, 0:width]
    row, col = (row + 0.5) / height, (col + 0.5) / width
    tone = np.ones_like(row)
    if kind == 'pole':
        middle, half = rng.uniform(0.08, 0.92), rng.uniform(0.04, 0.09)
        mask = np.abs(col - middle) < half
        tone = 0.35 + 0.65 * np.sqrt(np.clip(1 - ((col - middle) / half) ** 2, 0, 1))
    elif kind == 'box':
        top, left = rng.uniform(0.62, 0.85), rng.uniform(-0.3, 0.6)
        mask = (row > top) & (col > left) & (col < left + rng.uniform(0.45, 0.75))
        tone = np.where(row < top + 0.035, 1.35, 0.8)
    elif kind == 'bench':
        top = rng.uniform(0.66, 0.8)
        slat = ((row - top) % 0.055 < 0.036) & (row < top + 0.16)
        leg = (np.abs((col - 0.12) % 0.76) < 0.06) & (row < top + 0.34)
        mask = (row > top) & (slat | leg)
        tone = 1.1 - 2.0 * ((row - top) % 0.055)
    else:
        side, size = rng.choice([0.0, 1.0]), rng.uniform(0.25, 0.42)
        base = rng.uniform(0.8, 1.1)
        swell = 0.8 + 0.25 * np.sin(
            14 * np.arctan2(row - base, (col - side) / 2 + 1e-6)
        )
        mask = np.hypot((col - side) / 2, row - base) < size * swell
        tone = 0.6 + 0.5 * rng.random(row.shape)
    palette = {
        'pole': [(0.30, 0.31, 0.32), (0.12, 0.13, 0.13), (0.34, 0.30, 0.22)],
        'box': [(0.36, 0.26, 0.15), (0.16, 0.22, 0.32), (0.28, 0.28, 0.28)],
        'bench': [(0.22, 0.13, 0.07), (0.16, 0.17, 0.17)],
        'plant': [(0.05, 0.12, 0.03), (0.10, 0.16, 0.05)],
    }[kind]
    rgb = np.array(palette[rng.integers(len(palette))])
    image[mask] = rgb * tone[mask][:, None]
    parts[mask] = fill

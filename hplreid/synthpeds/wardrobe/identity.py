"""An identity: attributes, and the shades, proportions and details beside them."""

from dataclasses import dataclass

import numpy as np

from ..difficulty import Difficulty
from ..randomness import Stream, random_stream
from .attributes import Attributes, make_attributes
from .colors import (
    COLOR_ANCHORS,
    HAIR_ANCHORS,
    SKIN_TONES,
    draw_shade,
    jitter_color,
    srgb_to_linear,
)


@dataclass(frozen=True)
class Build:
    """Proportions of a body; factors are relative to the average.

    Args:
        height: Meters.
        width: Overall stoutness.
        shoulders: Width of the shoulders.
        hips: Width of the hips.
        legs: Length of the legs.
        head: Size of the head.
        belly: Depth of the belly.
    """

    height: float
    width: float
    shoulders: float
    hips: float
    legs: float
    head: float
    belly: float


@dataclass(frozen=True)
class Details:
    """Proportions of clothes and hair that no caption mentions.

    Args:
        fit: Looseness of the upper garment, meters added to the radii.
        hem: Height of its lower edge above the hip joint, meters.
        leg_fit: Radius of the trouser leg at the ankle, meters.
        sleeve: Share of the upper arm that a short sleeve covers.
        shorts: Share of the thigh that shorts cover.
        skirt: Where a short skirt or dress ends, share of the leg from the hip.
        flare: Radius of a skirt or coat at its hem, meters.
        scale: Size of the pattern.
        phase: Offset of the pattern, 0-1, ``(3,)``.
        print_kind: Shape of the chest print, 0-3.
        print_at: Place and size of the print: x, y and size in meters, ``(3,)``.
        bag_side: Side a bag is carried on, -1 or 1.
        bag_size: Factor on the size of the bag, ``(3,)``.
        hair: Factor on the length and volume of the hair, ``(2,)``.
        opening: Half width of an open front, meters.
        beard: Whether the chin is bearded.
    """

    fit: float
    hem: float
    leg_fit: float
    sleeve: float
    shorts: float
    skirt: float
    flare: float
    scale: float
    phase: np.ndarray
    print_kind: int
    print_at: np.ndarray
    bag_side: int
    bag_size: np.ndarray
    hair: np.ndarray
    opening: float
    beard: bool


@dataclass(frozen=True)
class Identity:
    """Appearance of one identity.

    Args:
        identity_number: Number of the identity.
        attributes: What captions may describe.
        build: Proportions of the body.
        details: Proportions of clothes and hair.
        rgb: Linear color in 0-1, ``(3,)``, of each surface, such as ``'upper'``,
            ``'second'`` (of the pattern), ``'skin'`` or ``'hair'``.
    """

    identity_number: int
    attributes: Attributes
    build: Build
    details: Details
    rgb: dict[str, np.ndarray]


def _build(rng: np.random.Generator, attributes: Attributes) -> Build:
    man = attributes.gender == 'man'
    width = float(np.clip(rng.normal(1.0, 0.10), 0.82, 1.28))
    return Build(
        height=float(np.clip(rng.normal(1.77 if man else 1.65, 0.065), 1.5, 1.98)),
        width=width,
        shoulders=(1.04 if man else 0.90) * rng.uniform(0.95, 1.05),
        hips=(0.96 if man else 1.08) * rng.uniform(0.95, 1.06),
        legs=rng.uniform(0.95, 1.05),
        head=rng.uniform(0.96, 1.06),
        belly=max(0.0, width - 1.0) * 0.9 + rng.uniform(0, 0.06),
    )


def _details(rng: np.random.Generator, attributes: Attributes) -> Details:
    looseness = {
        't-shirt': 0.006, 'shirt': 0.008, 'sweater': 0.014, 'hoodie': 0.02,
        'jacket': 0.022, 'coat': 0.022, 'dress': 0.002,
    }[attributes.upper]  # fmt: skip
    jeans = attributes.lower == 'jeans'
    return Details(
        fit=looseness * rng.uniform(0.7, 1.4),
        hem=rng.uniform(-0.03, 0.05),
        leg_fit=rng.uniform(0.046, 0.07) if jeans else rng.uniform(0.05, 0.085),
        sleeve=rng.uniform(0.5, 0.85),
        shorts=rng.uniform(0.62, 0.98),
        skirt=rng.uniform(0.33, 0.52),
        flare=rng.uniform(0.17, 0.24),
        scale=rng.uniform(0.75, 1.5),
        phase=rng.random(3),
        print_kind=int(rng.integers(4)),
        print_at=np.array(
            [rng.uniform(-0.03, 0.03), rng.uniform(-0.04, 0.03), rng.uniform(0.07, 0.1)]
        ),
        bag_side=-1 if rng.random() < 0.5 else 1,
        bag_size=rng.uniform(0.85, 1.25, 3),
        hair=rng.uniform([0.7, 0.95], [1.25, 1.06]),
        opening=rng.uniform(0.03, 0.065),
        beard=attributes.gender == 'man' and rng.random() < 0.25,
    )


def make_identity(seed: int, identity_number: int, difficulty: Difficulty) -> Identity:
    """Return the identity with a number.

    Args:
        seed: Seed of the dataset.
        identity_number: Number of the identity, at least 0.
        difficulty: Gives the crowding and the spread of shades.

    Example:
        >>> from hplreid.synthpeds import Difficulty
        >>> from hplreid.synthpeds.wardrobe import make_identity
        >>> person = make_identity(seed=0, identity_number=5, difficulty=Difficulty())
        >>> person.attributes.gender, person.rgb['upper'].shape
        ('woman', (3,))
    """
    attributes = make_attributes(seed, identity_number, difficulty.crowding)
    rng = random_stream(seed, Stream.IDENTITY, identity_number, 1)
    build, details = _build(rng, attributes), _details(rng, attributes)
    slots = {
        'upper': attributes.upper_color,
        'second': attributes.second,
        'inner': attributes.inner or 'white',
        'lower': attributes.lower_color,
        'shoes': attributes.shoe_color,
        'bag': attributes.bag_color,
        'hat': attributes.hat_color,
    }
    rgb = {
        k: draw_shade(rng, word, difficulty.shade_spread) for k, word in slots.items()
    }
    rgb['hair'] = jitter_color(rng, HAIR_ANCHORS[attributes.hair_color], 4.0)
    rgb['skin'] = jitter_color(rng, SKIN_TONES[int(rng.choice(6, p=_SKIN_SHARE))], 4.0)
    rgb['glasses'] = np.array(COLOR_ANCHORS['black'], float)
    linear = {k: srgb_to_linear(v / 255) for k, v in rgb.items()}
    return Identity(identity_number, attributes, build, details, linear)


_SKIN_SHARE = (0.24, 0.3, 0.2, 0.12, 0.08, 0.06)

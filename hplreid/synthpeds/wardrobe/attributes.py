"""Attributes of an identity: the words that describe it, drawn in clusters."""

from dataclasses import dataclass, replace

import numpy as np

from ..randomness import Stream, draw_weighted, random_stream

CLUSTER_SIZE = 4

UPPER_COLORS = {
    'black': 20, 'dark gray': 8, 'gray': 10, 'light gray': 5, 'white': 13,
    'navy': 10, 'blue': 7, 'light blue': 5, 'teal': 2, 'green': 3,
    'dark green': 3, 'olive': 3, 'yellow': 2, 'orange': 2, 'red': 6,
    'maroon': 3, 'pink': 4, 'purple': 3, 'brown': 3, 'beige': 5,
}  # fmt: skip
LOWER_COLORS = {
    'black': 28, 'navy': 14, 'dark gray': 12, 'gray': 9, 'blue': 8,
    'light gray': 3, 'beige': 8, 'brown': 5, 'olive': 4, 'white': 4,
    'light blue': 2, 'maroon': 2, 'dark green': 2,
}  # fmt: skip
JEANS_COLORS = {'blue': 40, 'navy': 30, 'light blue': 16, 'black': 14}
SHOE_COLORS = {
    'black': 36, 'white': 24, 'gray': 10, 'brown': 14, 'navy': 6, 'red': 4,
    'beige': 4, 'blue': 3,
}  # fmt: skip
BAG_COLORS = {
    'black': 40, 'gray': 10, 'navy': 12, 'brown': 12, 'red': 8, 'blue': 6,
    'beige': 5, 'pink': 3, 'olive': 4, 'white': 2,
}  # fmt: skip
HAIR_COLORS = {'black': 48, 'brown': 30, 'blonde': 12, 'gray': 7, 'red': 3}

UPPER_KINDS = {
    'man': {
        't-shirt': 26, 'shirt': 20, 'sweater': 14, 'hoodie': 14, 'jacket': 20,
        'coat': 6,
    },
    'woman': {
        't-shirt': 22, 'shirt': 16, 'sweater': 16, 'hoodie': 8, 'jacket': 14,
        'coat': 9, 'dress': 15,
    },
}  # fmt: skip
LOWER_KINDS = {
    'man': {'jeans': 38, 'trousers': 44, 'shorts': 18},
    'woman': {
        'jeans': 34, 'trousers': 28, 'shorts': 12, 'skirt': 16, 'long skirt': 10,
    },
}  # fmt: skip
PATTERNS = {
    't-shirt': {'plain': 40, 'print': 30, 'stripes': 18, 'block': 12},
    'shirt': {'plain': 48, 'checks': 32, 'vertical stripes': 20},
    'sweater': {'plain': 58, 'stripes': 30, 'block': 12},
    'hoodie': {'plain': 58, 'print': 28, 'block': 14},
    'jacket': {'plain': 82, 'block': 18},
    'coat': {'plain': 92, 'checks': 8},
    'dress': {'plain': 62, 'stripes': 16, 'checks': 12, 'vertical stripes': 10},
}
HAIR_STYLES = {
    'man': {'short': 82, 'bald': 8, 'medium': 6, 'ponytail': 4},
    'woman': {'short': 10, 'medium': 26, 'long': 36, 'ponytail': 18, 'bun': 10},
}
BAGS = {
    'man': {'none': 48, 'backpack': 32, 'shoulder bag': 16, 'handbag': 4},
    'woman': {'none': 36, 'backpack': 22, 'shoulder bag': 22, 'handbag': 20},
}


@dataclass(frozen=True)
class Attributes:
    """Everything about an identity that a caption may describe.

    Colors are keys of :data:`~.colors.COLOR_ANCHORS`, for hair of
    :data:`~.colors.HAIR_ANCHORS`. ``second`` is the second color of a pattern or print,
    ``inner`` the color of the garment under an open jacket ('' when closed).
    """

    gender: str
    upper: str
    upper_color: str
    pattern: str
    second: str
    long_sleeves: bool
    inner: str
    lower: str
    lower_color: str
    shoes: str
    shoe_color: str
    hair: str
    hair_color: str
    bag: str
    bag_color: str
    hat: str
    hat_color: str
    glasses: str


def draw_attributes(rng: np.random.Generator) -> Attributes:
    """Draw the attributes of one identity."""
    gender = 'man' if rng.random() < 0.54 else 'woman'
    upper = draw_weighted(rng, UPPER_KINDS[gender])
    color = draw_weighted(rng, UPPER_COLORS)
    lower = 'none' if upper == 'dress' else draw_weighted(rng, LOWER_KINDS[gender])
    second = draw_weighted(rng, UPPER_COLORS)
    while not _contrasts(second, color):
        second = draw_weighted(rng, UPPER_COLORS)
    inner = ''
    if upper in ('jacket', 'coat') and rng.random() < 0.5:
        inner = draw_weighted(rng, {'white': 5, 'gray': 2, 'light blue': 2, 'black': 3,
                           'red': 1, 'navy': 1})  # fmt: skip
        inner = '' if not _contrasts(inner, color) else inner
    long_sleeves = {'t-shirt': rng.random() < 0.12, 'dress': rng.random() < 0.45,
                    'shirt': rng.random() < 0.68}.get(upper, True)  # fmt: skip
    return Attributes(
        gender=gender,
        upper=upper,
        upper_color=color,
        pattern=draw_weighted(rng, PATTERNS[upper]),
        second=second,
        long_sleeves=bool(long_sleeves),
        inner=inner,
        lower=lower,
        lower_color=draw_weighted(
            rng, JEANS_COLORS if lower == 'jeans' else LOWER_COLORS
        ),
        shoes=draw_weighted(rng, {'sneakers': 56, 'shoes': 26, 'boots': 18}),
        shoe_color=draw_weighted(rng, SHOE_COLORS),
        hair=draw_weighted(rng, HAIR_STYLES[gender]),
        hair_color=draw_weighted(rng, HAIR_COLORS),
        bag=draw_weighted(rng, BAGS[gender]),
        bag_color=draw_weighted(rng, BAG_COLORS),
        hat=draw_weighted(rng, {'none': 82, 'cap': 12, 'beanie': 6}),
        hat_color=draw_weighted(rng, BAG_COLORS),
        glasses=draw_weighted(rng, {'none': 74, 'glasses': 18, 'sunglasses': 8}),
    )


def _contrasts(one: str, other: str) -> bool:
    """Return whether two color words differ enough for a visible pattern."""
    families = (
        {'black', 'navy', 'dark green', 'maroon', 'dark gray', 'brown'},
        {'white', 'light gray', 'beige'},
        {'gray', 'dark gray', 'light gray', 'olive'},
        {'blue', 'navy', 'light blue', 'teal'},
        {'blue', 'purple', 'navy'},
        {'green', 'dark green', 'teal', 'olive'},
        {'red', 'maroon', 'orange', 'pink'},
        {'light blue', 'light gray', 'gray'},
    )
    return one != other and not any(one in f and other in f for f in families)


# Attributes that are redrawn together, so that those that constrain one another stay
# consistent.
_GROUPS: tuple[tuple[str, ...], ...] = (
    ('upper_color', 'second', 'inner'),
    ('lower_color',),
    ('shoes', 'shoe_color'),
    ('hair_color',),
    ('bag', 'bag_color'),
    ('hat', 'hat_color'),
    ('glasses',),
)


def make_attributes(seed: int, identity_number: int, crowding: float) -> Attributes:
    """Return the attributes of an identity.

    Four consecutive numbers form a cluster that starts from one set of attributes.
    Each member keeps all of them with probability ``crowding`` and otherwise changes
    two or three groups, so that near-duplicates are as common as duplicates.

    Args:
        seed: Seed of the dataset.
        identity_number: Number of the identity, at least 0.
        crowding: See :class:`~.difficulty.Difficulty`.

    Example:
        >>> from hplreid.synthpeds.wardrobe import make_attributes
        >>> a, b = (make_attributes(0, number, crowding=1.0) for number in (0, 1))
        >>> a == b, a.upper_color, a.upper
        (True, 'red', 'hoodie')
    """
    base = draw_attributes(
        random_stream(seed, Stream.CLUSTER, identity_number // CLUSTER_SIZE)
    )
    rng = random_stream(seed, Stream.IDENTITY, identity_number, 0)
    if rng.random() < crowding:
        return base
    other = draw_attributes(rng)
    while (other.lower == 'jeans') != (base.lower == 'jeans') or (
        other.upper not in ('jacket', 'coat') and base.inner
    ):
        other = draw_attributes(rng)
    groups = rng.permutation(len(_GROUPS))[: rng.integers(2, 4)]
    names = [name for group in groups for name in _GROUPS[group]]
    changed = {name: getattr(other, name) for name in names}
    if base.upper not in ('jacket', 'coat'):  # no other garment is worn open
        changed['inner'] = ''
    return replace(base, **changed)

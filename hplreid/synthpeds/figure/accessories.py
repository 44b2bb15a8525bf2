"""Hair, hats and bags as primitives."""

import numpy as np

from ..wardrobe.identity import Identity
from .body_parts import Part
from .signed_distance import Primitive, box, segment
from .skeleton import Skeleton

_UP = np.array([0.0, 1.0, 0.0])


def hair_primitives(person: Identity, bones: Skeleton) -> list[Primitive]:
    """Return the shell around the skull and the hair that hangs or is tied up."""
    style = person.attributes.hair
    if style == 'bald':
        return []
    u = bones.unit * person.build.head
    length, volume = person.details.hair
    head, face = bones.head, bones.face
    r = 0.087 * u * volume
    parts = [
        segment(head - face * 0.026 * u - _UP * 0.004 * u,
                head - face * 0.016 * u + _UP * 0.034 * u, (r * 0.98, r), Part.HAIR,
                (0.95, 1.06), face),
    ]  # fmt: skip
    back = head - face * 0.055 * u
    if style in ('medium', 'long'):
        drop = (0.13 if style == 'medium' else 0.29) * length * u
        parts.append(
            segment(back + _UP * 0.02, back - _UP * drop - face * 0.022,
                    (0.085 * u * volume, (0.08 if style == 'medium' else 0.072) * u),
                    Part.HAIR, (1.12, 0.62), face, cap=0.03)
        )  # fmt: skip
        side = np.cross(_UP, face)
        for sign in (-1, 1):  # strands that frame the face
            top = head + side * sign * 0.066 * u - face * 0.024
            fall = top - _UP * min(drop, 0.15) * 0.85 + side * sign * 0.006
            parts.append(segment(top, fall, (0.036 * u, 0.03 * u), Part.HAIR))
    elif style == 'ponytail':
        knot = head - face * 0.115 * u + _UP * 0.035 * u
        end = knot - _UP * 0.20 * length * u - face * 0.03
        parts.append(segment(knot, end, (0.034 * u, 0.022 * u), Part.HAIR))
    elif style == 'bun':
        knot = head - face * 0.085 * u + _UP * 0.075 * u
        parts.append(segment(knot, knot + _UP * 0.01, (0.045 * u, 0.04 * u), Part.HAIR))
    return parts


def hat_primitives(person: Identity, bones: Skeleton) -> list[Primitive]:
    """Return a baseball cap or a beanie."""
    kind = person.attributes.hat
    if kind == 'none':
        return []
    u = bones.unit * person.build.head
    head, face = bones.head, bones.face
    base = head + _UP * 0.03 * u - face * 0.006 * u
    tall = 0.03 if kind == 'cap' else 0.05
    r = 0.099 * u
    crown = segment(base, base + _UP * tall * u, (r, r * 0.93), Part.HAT,
                    (0.93, 1.08), face, cap=0.075)  # fmt: skip
    if kind == 'beanie':
        return [crown]
    start = base + face * 0.07 * u
    brim = segment(start, start + face * 0.10 * u - _UP * 0.012, (0.07 * u, 0.06 * u),
                   Part.HAT, (1.0, 0.13), _UP, cap=0.03)  # fmt: skip
    return [crown, brim]


def bag_primitives(person: Identity, bones: Skeleton) -> list[Primitive]:
    """Return the body of a bag; straps are colored in ``surface_materials``."""
    kind, u = person.attributes.bag, bones.unit
    sx, sy, sz = person.details.bag_size
    side = person.details.bag_side
    build = person.build
    if kind == 'backpack':
        depth = 0.055 * sz
        spine = (bones.chest + bones.waist) / 2 + _UP * 0.03
        back = 0.115 * u * build.width + person.details.fit + depth
        return [
            box(spine - [0, 0, back], [0.10 * sx, 0.15 * sy, depth - 0.02], 0.04,
                Part.BAG),
            box(spine - [0, 0.09 * sy, back + depth], [0.07 * sx, 0.05 * sy, 0.01],
                0.03, Part.BAG),
        ]  # fmt: skip
    if kind == 'shoulder bag':
        out = 0.15 * u * build.hips * (0.5 + 0.5 * build.width) + 0.055
        at = bones.hip + np.array([side * out, 0.02, -0.03])
        return [box(at, [0.025 * sz, 0.085 * sy, 0.12 * sx], 0.025, Part.BAG)]
    if kind == 'handbag':
        hand = bones.fingers[(side + 1) // 2]
        at = hand - _UP * (0.15 + 0.06 * sy)
        rim = at + _UP * 0.08 * sy
        return [
            box(at, [0.03 * sz, 0.075 * sy, 0.10 * sx], 0.025, Part.BAG),
            segment(hand, rim + [0, 0, 0.06], (0.009, 0.009), Part.BAG),
            segment(hand, rim - [0, 0, 0.06], (0.009, 0.009), Part.BAG),
        ]  # fmt: skip
    return []

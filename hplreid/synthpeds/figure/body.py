"""The body and its clothes as primitives."""

import numpy as np

from ..wardrobe.identity import Identity
from .accessories import bag_primitives, hair_primitives, hat_primitives
from .body_parts import Part
from .signed_distance import Primitive, segment
from .skeleton import Skeleton


def _torso(person: Identity, bones: Skeleton) -> list[Primitive]:
    b, u, fit = person.build, bones.unit, person.details.fit
    woman = person.attributes.gender == 'woman'
    wide = u * b.width
    hips = 0.148 * u * b.hips * (0.5 + 0.5 * b.width)
    waist = (0.125 if woman else 0.138) * wide
    ribs = (0.142 if woman else 0.155) * wide * (0.4 + 0.6 * b.shoulders)
    low = bones.hip + [0, -0.02 * u, 0]
    parts = [
        segment(low, bones.waist, (hips, waist + 0.006), Part.LOWER, (1.02, 0.74)),
        segment(bones.waist - [0, 0.06, -0.02 * b.belly], bones.chest,
                (waist + fit + 0.02 * b.belly, ribs + fit), Part.UPPER,
                (1.0, 0.70 + 0.5 * b.belly)),
        segment(bones.chest - [0, 0.03, 0], bones.neck - [0, 0.10 * u, 0],
                (ribs + fit, ribs * 0.96 + fit), Part.UPPER, (1.04, 0.68)),
    ]  # fmt: skip
    left, right = bones.shoulders
    inner = 0.80
    middle = (left + right) / 2 + [0, 0.012 * u, 0]
    for joint in (left, right):
        parts.append(
            segment(middle + [0, 0.022 * u, -0.005], middle + (joint - middle) * inner,
                    (0.07 * u + fit * 0.6, 0.056 * u + fit), Part.UPPER, (1.0, 1.0))
        )  # fmt: skip
    if woman:
        for side in (-1, 1):
            at = bones.chest + np.array([side * 0.068 * wide, 0.0, 0.075 * wide])
            parts.append(
                segment(at, at + [0, 0.02, -0.01], (0.055 * wide, 0.045 * wide),
                        Part.UPPER)
            )  # fmt: skip
    return parts


def _head(person: Identity, bones: Skeleton) -> list[Primitive]:
    u = bones.unit * person.build.head
    face, head = bones.face, bones.head
    up = np.array([0.0, 1.0, 0.0])
    return [
        segment(bones.neck - up * 0.03 * u, head - up * 0.05 * u,
                (0.058 * u, 0.052 * u), Part.FACE),
        segment(head - up * 0.03 * u, head + up * 0.022 * u, (0.076 * u, 0.082 * u),
                Part.FACE, (0.90, 1.10), face),
        segment(head - up * 0.072 * u + face * 0.024 * u, head - up * 0.02 * u
                + face * 0.02 * u, (0.047 * u, 0.07 * u), Part.FACE, (0.95, 1.0), face),
        segment(head - up * 0.026 * u + face * 0.098 * u,
                head + up * 0.01 * u + face * 0.086 * u, (0.013 * u, 0.008 * u),
                Part.FACE, (1.0, 1.0), face),
    ]  # fmt: skip


def _arms(person: Identity, bones: Skeleton) -> list[Primitive]:
    d, attributes, u = person.details, person.attributes, bones.unit
    w = u * (0.5 + 0.5 * person.build.width)
    slim = 0.88 if attributes.gender == 'woman' else 1.0
    parts = []
    for side in range(2):
        shoulder, elbow = bones.shoulders[side], bones.elbows[side]
        wrist, finger = bones.wrists[side], bones.fingers[side]
        cloth = d.fit + 0.004 if attributes.long_sleeves else 0.0
        part = Part.UPPER if attributes.long_sleeves else Part.ARM
        # A bare arm begins inside its sleeve, or it would show at the shoulder.
        bare = 0.0 if attributes.long_sleeves else 0.35
        start = shoulder + (elbow - shoulder) * bare
        top, mid, low = (r * w * slim for r in (0.053, 0.042, 0.030))
        parts += [
            segment(start, elbow, (top + cloth, mid + cloth), part, limb=True),
            segment(elbow, wrist, (mid + cloth, low + cloth), part, limb=True,
                    cap=0.005 if cloth else None),
            segment(wrist, finger, (0.028 * u, 0.026 * u), Part.ARM, (0.75, 1.1)),
        ]  # fmt: skip
        if not attributes.long_sleeves:
            end = shoulder + (elbow - shoulder) * d.sleeve
            loose = d.fit + 0.008
            parts.append(
                segment(shoulder, end, (top + loose, mid + loose + 0.012), Part.UPPER,
                        limb=True, cap=0.03)
            )  # fmt: skip
    return parts


def _leg_radii(person: Identity, u: float) -> tuple[float, float, float]:
    b = person.build
    w = (
        u
        * (0.45 + 0.55 * b.width)
        * (1.03 if person.attributes.gender == 'woman' else 1)
    )
    return 0.086 * w * b.hips, 0.058 * w, 0.037 * w


def _legs(person: Identity, bones: Skeleton) -> list[Primitive]:
    attributes, d, u = person.attributes, person.details, bones.unit
    top, knee_r, ankle_r = _leg_radii(person, u)
    clothed = attributes.lower in ('jeans', 'trousers')
    part = Part.LOWER if clothed else Part.LEG
    parts = []
    for side in range(2):
        hip, knee = bones.hips[side], bones.knees[side]
        ankle, toe = bones.ankles[side], bones.toes[side]
        if clothed:
            hem = ankle + (knee - ankle) * 0.04
            radii = (top + 0.006, max(knee_r + 0.008, d.leg_fit * u))
            low = max(ankle_r + 0.004, d.leg_fit * u)
            parts += [
                segment(hip, knee, radii, part, limb=True),
                segment(knee, hem, (radii[1], low), part, limb=True, cap=0.012),
                segment(hem, ankle - [0, 0.01, 0], (ankle_r, ankle_r), Part.SHOES),
            ]
        else:
            calf = knee + (ankle - knee) * 0.35 - [0, 0, 0.012 * u]
            parts += [
                segment(hip, knee, (top, knee_r * 0.94), part, limb=True),
                segment(knee, calf, (knee_r * 0.92, knee_r * 0.9), part, limb=True),
                segment(calf, ankle, (knee_r * 0.9, ankle_r * 0.9), part, limb=True),
            ]
        if attributes.lower == 'shorts':
            end = hip + (knee - hip) * d.shorts
            parts.append(
                segment(hip, end, (top + 0.012, knee_r + 0.03), Part.LOWER, limb=True,
                        cap=0.006)
            )  # fmt: skip
        parts += _shoe(person, ankle, toe, knee, u)
    return parts


def _shoe(
    person: Identity,
    ankle: np.ndarray,
    toe: np.ndarray,
    knee: np.ndarray,
    u: float,
) -> list[Primitive]:
    heel = ankle + (ankle - toe) * [0.28, 0, 0.28] - [0, 0.042 * u, 0]
    r = (0.037 if person.attributes.gender == 'man' else 0.033) * u
    parts = [segment(heel, toe, (r, r * 0.95), Part.SHOES, (1.0, 1.15))]
    parts.append(segment(ankle, heel, (r * 1.1, r), Part.SHOES))
    if person.attributes.shoes == 'boots':
        shaft = ankle + (knee - ankle) * 0.38
        wide = 0.058 * u
        parts.append(segment(shaft, ankle, (wide, wide * 0.85), Part.SHOES, cap=0.01))
    return parts


def _drapes(person: Identity, bones: Skeleton) -> list[Primitive]:
    """Return cloth that hangs free: hems, skirts, coat tails, hoods and collars."""
    attributes, d, u, b = person.attributes, person.details, bones.unit, person.build
    hips = 0.150 * u * b.hips * (0.5 + 0.5 * b.width)
    waist = bones.waist
    leg = bones.hip[1] - (bones.ankles[0][1] + bones.ankles[1][1]) / 2
    down = np.array([0.0, -1.0, 0.0])
    parts = []
    # A long stride must stay inside the cloth.
    reach = max(abs(k[2] - bones.hip[2]) for k in bones.knees)
    if attributes.upper in ('coat', 'dress'):
        length = d.skirt + (0.12 if attributes.upper == 'coat' else 0.0)
        hem = bones.hip + down * leg * length
        wide = max(d.flare * u, reach * length * 1.6 + 0.08 * u, hips + d.fit)
        parts.append(
            segment(waist, hem, (0.86 * hips + d.fit, wide), Part.UPPER,
                    (1.0, 0.85), cap=0.005)
        )  # fmt: skip
    else:
        hem = bones.hip + down * (0.03 * u - d.hem)
        wide = hips + d.fit + 0.008
        parts.append(
            segment(waist + [0, 0.03, 0], hem, (0.88 * hips + d.fit, wide), Part.UPPER,
                    (1.0, 0.80), cap=0.004)
        )  # fmt: skip
    if attributes.lower in ('skirt', 'long skirt'):
        length = 0.86 if attributes.lower == 'long skirt' else d.skirt
        hem = bones.hip + down * leg * length
        wide = max(d.flare * u, reach * min(1, length * 1.5) + 0.07 * u)
        parts.append(
            segment(waist - [0, 0.04, 0], hem, (0.92 * hips, wide), Part.LOWER,
                    (1.0, 0.85), cap=0.005)
        )  # fmt: skip
    neck = bones.neck
    if attributes.upper in ('hoodie', 'jacket', 'coat', 'shirt'):
        thick = {'hoodie': 0.075, 'shirt': 0.062}.get(attributes.upper, 0.072) * u
        parts.append(
            segment(neck - [0, 0.03, 0.012], neck + [0, 0.022 * u, -0.018],
                    (thick * 1.1, thick), Part.UPPER, cap=0.006)
        )  # fmt: skip
    if attributes.upper == 'hoodie':
        for side in (-1, 1):
            end = neck + np.array([side * 0.07, -0.03, -0.06]) * u
            parts.append(
                segment(neck + [0, -0.05 * u, -0.10 * u], end, (0.055 * u, 0.04 * u),
                        Part.UPPER)
            )  # fmt: skip
    return parts


def make_figure(person: Identity, bones: Skeleton) -> list[Primitive]:
    """Return all primitives of a dressed person, in the frame of the figure.

    Args:
        person: The identity.
        bones: The posed skeleton.

    Example:
        >>> import numpy as np
        >>> from hplreid.synthpeds import Difficulty
        >>> from hplreid.synthpeds.figure import draw_pose, make_figure, make_skeleton
        >>> from hplreid.synthpeds.wardrobe import make_identity
        >>> person = make_identity(0, 5, Difficulty())
        >>> pose = draw_pose(np.random.default_rng(0))
        >>> len(make_figure(person, make_skeleton(person.build, pose)))
        39
    """
    return [
        *_torso(person, bones),
        *_drapes(person, bones),
        *_head(person, bones),
        *hair_primitives(person, bones),
        *hat_primitives(person, bones),
        *_arms(person, bones),
        *_legs(person, bones),
        *bag_primitives(person, bones),
    ]

"""Joint positions of a posed body, by forward kinematics."""

from dataclasses import dataclass

import numpy as np

from ..wardrobe.identity import Build, Identity
from .pose import Pose


@dataclass(frozen=True)
class Skeleton:
    """Joint positions in meters, ``(3,)`` each; pairs are (x < 0, x > 0).

    The figure faces +z, y points up and the soles touch y = 0.

    Args:
        unit: Height of the person over 1.75 m; scales every length.
        hip: Middle of the pelvis.
        waist: Navel height, on the spine.
        chest: Height of the breastbone, on the spine.
        neck: Base of the neck.
        head: Middle of the skull.
        face: Direction of the face.
        hips, knees, ankles, toes: Legs.
        shoulders, elbows, wrists, fingers: Arms.
    """

    unit: float
    hip: np.ndarray
    waist: np.ndarray
    chest: np.ndarray
    neck: np.ndarray
    head: np.ndarray
    face: np.ndarray
    hips: tuple[np.ndarray, np.ndarray]
    knees: tuple[np.ndarray, np.ndarray]
    ankles: tuple[np.ndarray, np.ndarray]
    toes: tuple[np.ndarray, np.ndarray]
    shoulders: tuple[np.ndarray, np.ndarray]
    elbows: tuple[np.ndarray, np.ndarray]
    wrists: tuple[np.ndarray, np.ndarray]
    fingers: tuple[np.ndarray, np.ndarray]


def _hanging_direction(angle: float, side: float = 0.0) -> np.ndarray:
    """Return a downward unit vector swung forward by ``angle``, outward by ``side``."""
    return np.array(
        [np.sin(side), -np.cos(angle) * np.cos(side), np.sin(angle) * np.cos(side)]
    )


def _legs(build: Build, pose: Pose, unit: float) -> list[list[np.ndarray]]:
    legs = []
    for side, phase in ((-1, pose.phase), (1, pose.phase + np.pi)):
        hip = np.array([side * 0.088 * unit * build.hips, 0.0, 0.0])
        thigh = pose.stride * np.sin(phase)
        # The knee bends while the leg travels forward and stays near straight on
        # the ground.
        bend = 0.08 + 1.5 * pose.stride * max(0.0, np.cos(phase + 0.3))
        knee = hip + 0.43 * unit * build.legs * _hanging_direction(thigh, side * 0.02)
        ankle = knee + 0.40 * unit * build.legs * _hanging_direction(thigh - bend)
        pitch = np.pi / 2 + 0.7 * min(0.0, thigh - bend) + 0.25 * max(0.0, thigh)
        out = side * 0.12
        toe = (
            ankle + 0.16 * unit * _hanging_direction(pitch, out) + [0, -0.035 * unit, 0]
        )
        legs.append([hip, knee, ankle, toe])
    return legs


def _arms(build: Build, pose: Pose, neck: np.ndarray, unit: float) -> list:
    arms = []
    for index, side in enumerate((-1, 1)):
        phase = pose.phase + np.pi * index
        reach = 0.172 * unit * build.shoulders * (0.75 + 0.25 * build.width)
        shoulder = neck + np.array([side * reach, -0.055 * unit, -0.005])
        upper, lower = -pose.swing * np.sin(phase), 0.0
        lower, inward = upper + pose.elbow, 0.03
        kind = pose.arms[index]
        outward = 0.10 + 0.06 * (build.width - 1) * 4
        if kind == 'pocket':
            upper, lower, inward, outward = -0.35, 0.35, 0.06, 0.26
        elif kind == 'phone':
            upper, lower, inward = 0.15, 2.05, -0.45
        elif kind == 'carry':
            upper, lower = 0.05 * np.sin(phase), 0.12
        elbow = shoulder + 0.285 * unit * _hanging_direction(upper, side * outward)
        wrist = elbow + 0.25 * unit * _hanging_direction(lower, side * inward)
        finger = wrist + 0.085 * unit * _hanging_direction(
            lower + 0.1, side * inward * 0.5
        )
        arms.append([shoulder, elbow, wrist, finger])
    return arms


def make_skeleton(build: Build, pose: Pose) -> Skeleton:
    """Return the skeleton of a body with the given proportions and pose.

    Args:
        build: Proportions of the body.
        pose: Joint angles.

    Example:
        >>> import numpy as np
        >>> from hplreid.synthpeds import Difficulty
        >>> from hplreid.synthpeds.figure import draw_pose, make_skeleton
        >>> from hplreid.synthpeds.wardrobe import make_identity
        >>> build = make_identity(0, 5, Difficulty()).build
        >>> bones = make_skeleton(build, draw_pose(np.random.default_rng(0)))
        >>> bool(bones.head[1] > bones.hip[1])  # y points up
        True
    """
    unit = build.height / 1.75
    legs = _legs(build, pose, unit)
    lowest = min(
        min(leg[2][1] - 0.075 * unit, leg[3][1] - 0.035 * unit) for leg in legs
    )
    lift = np.array([0.0, -lowest, 0.0])
    legs = [[joint + lift for joint in leg] for leg in legs]
    tilt = np.array([0.0, np.cos(pose.lean), np.sin(pose.lean)])
    # Long legs shorten the trunk, so that people of one height differ.
    trunk = unit * (1 + 0.83 / 0.56 * (1 - build.legs) * 0.6)
    neck = lift + 0.53 * trunk * tilt
    turn = pose.head_turn
    face = np.array([np.sin(turn), 0.0, np.cos(turn)])
    arms = _arms(build, pose, neck, unit)
    head = neck + np.array([0, 0.195 * unit, 0.02 * unit])
    return Skeleton(
        unit,
        lift,
        lift + 0.17 * trunk * tilt,
        lift + 0.36 * trunk * tilt,
        neck,
        head,
        face,
        *[(legs[0][i], legs[1][i]) for i in range(4)],
        *[(arms[0][i], arms[1][i]) for i in range(4)],
    )


def hem_height(person: Identity, bones: Skeleton) -> float | None:
    """Return the height in meters where a skirt, dress or coat ends, else None."""
    attributes, skirt = person.attributes, person.details.skirt
    leg = bones.hip[1] - (bones.ankles[0][1] + bones.ankles[1][1]) / 2
    if attributes.lower == 'long skirt':
        return float(bones.hip[1] - 0.86 * leg)
    if attributes.lower == 'skirt' or attributes.upper == 'dress':
        return float(bones.hip[1] - skirt * leg)
    if attributes.upper == 'coat':
        return float(bones.hip[1] - (skirt + 0.12) * leg)
    return None

"""Walking and standing poses."""

from dataclasses import dataclass

import numpy as np

from ..randomness import draw_weighted


@dataclass(frozen=True)
class Pose:
    """A pose as joint angles in radians.

    Args:
        phase: Position in the walking cycle, 0 to 2 pi.
        stride: Swing of the thighs.
        swing: Swing of the arms.
        elbow: Bend of the elbows.
        lean: Forward lean of the upper body.
        head_turn: Turn of the head to one side.
        arms: Action of each arm: ``swing``, ``pocket``, ``phone`` or ``carry``.
    """

    phase: float
    stride: float
    swing: float
    elbow: float
    lean: float
    head_turn: float
    arms: tuple[str, str]


def draw_pose(
    rng: np.random.Generator, carry_side: int | None = None, step: float = 1.0
) -> Pose:
    """Draw a walking or standing pose.

    Args:
        rng: Random generator.
        carry_side: Arm (0 or 1) that carries a bag, if any.
        step: Factor on the stride: narrow skirts shorten it.

    Example:
        >>> import numpy as np
        >>> from hplreid.synthpeds.figure import draw_pose
        >>> draw_pose(np.random.default_rng(0), carry_side=1).arms
        ('swing', 'carry')
    """
    walking = rng.random() < 0.82
    stride = rng.uniform(0.28, 0.5) if walking else rng.uniform(0.0, 0.1)
    arms = [
        draw_weighted(rng, {'swing': 0.78, 'pocket': 0.12, 'phone': 0.10})
        for _ in range(2)
    ]
    if carry_side is not None:
        arms[carry_side] = 'carry'
    return Pose(
        phase=rng.uniform(0, 2 * np.pi),
        stride=stride * step,
        swing=stride * rng.uniform(0.6, 1.1),
        elbow=rng.uniform(0.15, 0.5),
        lean=rng.uniform(0.0, 0.06),
        head_turn=rng.normal(0, 0.2),
        arms=(arms[0], arms[1]),
    )

"""Settings that make a dataset easier or harder."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Difficulty:
    """How hard the images and the captions are.

    Args:
        crowding: Probability that a member of a cluster of four identities keeps all
            attributes of the cluster, 0-1.
        shade_spread: How far the shades of identities with the same color word lie
            apart; 1 is about 6 units of Lab.
        camera: Strength of the differences between cameras (color cast, exposure,
            blur, resolution, noise, compression), 0-1.
        light: Strength of the changes of light and exposure within a camera, 0-1.
        occlusion: Probability of an object or passer-by in front of the person.
        framing: Standard deviation of the crop's error, as a share of its size.
        omission: How often captions leave visible parts out, the less salient the
            more, 0-1.
        hedging: Probability of a vague or missing color word and of a vague subject.

    Example:
        >>> from hplreid.synthpeds import PRESETS, Difficulty
        >>> Difficulty(occlusion=0.0).framing
        0.05
        >>> PRESETS['hard'].occlusion
        0.45
    """

    crowding: float = 0.25
    shade_spread: float = 1.0
    camera: float = 1.0
    light: float = 1.0
    occlusion: float = 0.30
    framing: float = 0.05
    omission: float = 0.25
    hedging: float = 0.15

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not 0 <= value <= 3:
                raise ValueError(f'{name} must be within 0 and 3, got {value!r}')


PRESETS: dict[str, Difficulty] = {
    'easy': Difficulty(0.0, 1.0, 0.4, 0.4, 0.05, 0.02, 0.1, 0.05),
    'default': Difficulty(),
    'hard': Difficulty(0.8, 0.7, 1.3, 1.3, 0.45, 0.08, 0.4, 0.25),
}

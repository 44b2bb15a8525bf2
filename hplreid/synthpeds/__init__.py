"""SynthPeds: pedestrians rendered in three dimensions, with captions.

A dataset that needs no download: people, clothes, cameras and sentences all follow
from a seed, and lie on disk in the layouts of Market-1501 and CUHK-PEDES.
"""

from .difficulty import PRESETS, Difficulty
from .sizes import SIZES
from .writing.manifest import synthpeds_problems
from .writing.writer import make_synthpeds

__all__ = ['PRESETS', 'SIZES', 'Difficulty', 'make_synthpeds', 'synthpeds_problems']

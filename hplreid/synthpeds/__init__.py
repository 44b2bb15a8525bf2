"""SynthPeds: pedestrians rendered in three dimensions, with captions.

A dataset that needs no download: identities, clothes, cameras and captions follow from
a seed and are written in the layouts of Market-1501 and CUHK-PEDES. Reading them is the
task of ``hplreid.datasets``; nothing here imports the rest of the package.
"""

from .difficulty import PRESETS, Difficulty
from .image_table import describe_images
from .part_maps import person_mask, render_part_maps
from .sizes import SIZES
from .writing.disk_space import DiskFullError
from .writing.manifest import synthpeds_problems
from .writing.writer import make_synthpeds

__all__ = [
    'PRESETS',
    'SIZES',
    'Difficulty',
    'DiskFullError',
    'describe_images',
    'make_synthpeds',
    'person_mask',
    'render_part_maps',
    'synthpeds_problems',
]

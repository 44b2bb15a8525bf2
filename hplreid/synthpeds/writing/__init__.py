"""Writing a dataset to disk: plan of images, folder layouts, workers, manifest.

How a single image is rendered lives in ``person_image``, how it is described in
``captions``.
"""

from .layouts import Shot, plan_shots
from .manifest import synthpeds_problems
from .writer import make_synthpeds

__all__ = ['Shot', 'make_synthpeds', 'plan_shots', 'synthpeds_problems']

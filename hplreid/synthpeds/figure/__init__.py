"""The body and its clothes in three dimensions: pose, skeleton, signed distances.

How a figure is seen lives in ``camera``; what an identity wears is decided in
``wardrobe``.
"""

from .body import make_figure
from .body_parts import Part
from .pose import Pose, draw_pose
from .shape_batch import ShapeBatch
from .signed_distance import Primitive, Shape
from .skeleton import Skeleton, make_skeleton

__all__ = [
    'Part',
    'Pose',
    'Primitive',
    'Shape',
    'ShapeBatch',
    'Skeleton',
    'draw_pose',
    'make_figure',
    'make_skeleton',
]

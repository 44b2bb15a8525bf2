"""What methods are assembled with: each part is built, and checked to fit its place.

Necks and heads against the features on offer, prompts and text towers against each
other. The parts themselves live in rooms of their own, the methods in ``reid``.
"""

from .necks_and_heads import build_head, build_neck, check_width, order_necks
from .prompts import build_inversion, build_prompt_learner
from .text_towers import check_tower, measure_text_tower, same_weights

__all__ = [
    'build_head',
    'build_inversion',
    'build_neck',
    'build_prompt_learner',
    'check_tower',
    'check_width',
    'measure_text_tower',
    'order_necks',
    'same_weights',
]

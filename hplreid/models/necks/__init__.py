"""Necks: they make a feature of one or several others, in training and at test.

BNNeck, pooling, PromptSG's interaction, IRRA's implicit relation. A neck has no loss;
that is a head's.
"""

from .base_neck import BaseNeck
from .bn_neck import BNNeck
from .implicit_relation import ImplicitRelation
from .interaction import InteractionNeck
from .linear_neck import LinearNeck
from .pooling import GeM, GlobalAveragePool, generalized_mean

__all__ = [
    'BNNeck',
    'BaseNeck',
    'GeM',
    'GlobalAveragePool',
    'ImplicitRelation',
    'InteractionNeck',
    'LinearNeck',
    'generalized_mean',
]

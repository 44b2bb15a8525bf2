"""Necks: they make a feature of one or several others, in training and at test.

BNNeck, pooling, PromptSG's interaction, IRRA's implicit relation. A neck has no loss;
that is a head's.
"""

from .bn_neck import BNNeck
from .implicit_relation import ImplicitRelation
from .interaction import InteractionNeck
from .pooling import GeM, GlobalAveragePool, generalized_mean

__all__ = [
    'BNNeck',
    'GeM',
    'GlobalAveragePool',
    'ImplicitRelation',
    'InteractionNeck',
    'generalized_mean',
]

"""Necks: what stands between a feature and its classifier, or makes one of several."""

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

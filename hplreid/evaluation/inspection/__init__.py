"""What lies behind a score: which queries fail, on whom, where, and whose label.

Pure functions on features; drawings of what they return are in ``visualization``.
"""

from .confusions import Confusion, find_confusions
from .curves import Curve, cmc_curve, precision_recall_curve
from .label_suspects import ItemSuspect, PairSuspect, suspect_items, suspect_pairs
from .score_groups import (
    AttributeScores,
    GroupError,
    GroupScore,
    score_attribute,
    score_camera_pairs,
    score_caption_lengths,
)
from .scored_features import (
    drops_same_camera,
    protocol_arguments,
    rank_features,
    score_queries,
    worst_queries,
    zero_is_a_crowd,
)

__all__ = [
    'AttributeScores',
    'Confusion',
    'Curve',
    'GroupError',
    'GroupScore',
    'ItemSuspect',
    'PairSuspect',
    'cmc_curve',
    'drops_same_camera',
    'find_confusions',
    'precision_recall_curve',
    'protocol_arguments',
    'rank_features',
    'score_attribute',
    'score_camera_pairs',
    'score_caption_lengths',
    'score_queries',
    'suspect_items',
    'suspect_pairs',
    'worst_queries',
    'zero_is_a_crowd',
]

"""Why a model finds what it finds: relevance of patches and of words.

``recording`` keeps the attention of a forward pass, ``kinds`` and ``propagation`` are
the arithmetic, ``routes`` the way through each method; ``explainer`` and ``words`` use
them. ``faithfulness`` and ``pointing`` measure maps. What draws them is ``drawing``.
"""

from .drawing import (
    MapPanel,
    draw_caption,
    draw_feature_maps,
    draw_maps,
    draw_perturbations,
    draw_words,
)
from .errors import ExplainError
from .explainer import (
    Explanation,
    choose_features,
    explain_caption,
    explain_directions,
    explain_feature,
    explain_pair,
    shown_features,
)
from .faithfulness import PerturbationCurves, perturb_images
from .kinds import KINDS
from .pointing import Pointing, point
from .propagation import grad_cam
from .recording import AttentionRecord, record_attention
from .words import (
    Word,
    find_phrase,
    split_words,
    sum_words,
    tokenize_caption,
    word_directions,
)

__all__ = [
    'KINDS',
    'AttentionRecord',
    'ExplainError',
    'Explanation',
    'MapPanel',
    'PerturbationCurves',
    'Pointing',
    'Word',
    'choose_features',
    'draw_caption',
    'draw_feature_maps',
    'draw_maps',
    'draw_perturbations',
    'draw_words',
    'explain_caption',
    'explain_directions',
    'explain_feature',
    'explain_pair',
    'find_phrase',
    'grad_cam',
    'perturb_images',
    'point',
    'record_attention',
    'shown_features',
    'split_words',
    'sum_words',
    'tokenize_caption',
    'word_directions',
]

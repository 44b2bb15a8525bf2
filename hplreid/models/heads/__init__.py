"""Heads: read named features of a batch and return named losses."""

from .base_head import BaseHead
from .cross_modal_id_head import CrossModalIDHead
from .id_head import IDHead
from .info_nce_head import InfoNCEHead
from .inversion_consistency_head import InversionConsistencyHead
from .prompt_align_head import PromptAlignHead
from .prompt_contrast_head import PromptContrastHead
from .prompt_id_head import PromptIDHead
from .prompt_regularisation_head import PromptRegularisationHead
from .sdm_head import SDMHead
from .triplet_head import TripletHead

__all__ = [
    'BaseHead',
    'CrossModalIDHead',
    'IDHead',
    'InfoNCEHead',
    'InversionConsistencyHead',
    'PromptAlignHead',
    'PromptContrastHead',
    'PromptIDHead',
    'PromptRegularisationHead',
    'SDMHead',
    'TripletHead',
]

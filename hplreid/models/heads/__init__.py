"""Heads: they read named features of a batch and return named losses.

A head has the parameters of its losses (classifiers, centers) and sees the global
batch. The arithmetic lives in ``losses``.
"""

from .base_head import BaseHead
from .center_head import CenterHead
from .cmpc_head import CMPCHead
from .cmpm_head import CMPMHead
from .cross_modal_id_head import CrossModalIDHead
from .id_head import IDHead
from .info_nce_head import InfoNCEHead
from .inversion_consistency_head import InversionConsistencyHead
from .masked_language_head import MaskedLanguageHead
from .prompt_align_head import PromptAlignHead
from .prompt_contrast_head import PromptContrastHead
from .prompt_id_head import PromptIDHead
from .prompt_regularization_head import PromptRegularizationHead
from .prototype_contrast_head import PrototypeContrastHead
from .sdm_head import SDMHead
from .tal_head import TALHead
from .triplet_head import TripletHead

__all__ = [
    'BaseHead',
    'CMPCHead',
    'CMPMHead',
    'CenterHead',
    'CrossModalIDHead',
    'IDHead',
    'InfoNCEHead',
    'InversionConsistencyHead',
    'MaskedLanguageHead',
    'PromptAlignHead',
    'PromptContrastHead',
    'PromptIDHead',
    'PromptRegularizationHead',
    'PrototypeContrastHead',
    'SDMHead',
    'TALHead',
    'TripletHead',
]

"""Losses: a pure function each, and a registered class that holds its options.

Each is finite on every legal batch and computed in full precision. Which features a
loss is of is decided by a head.
"""

from .center_loss import CenterLoss, center_loss, move_centers
from .cmpc_loss import CMPCLoss, cmpc_loss
from .cmpm_loss import CMPMLoss, cmpm_loss
from .cmpr_loss import CMPRLoss, cmpr_loss
from .cross_entropy import CrossEntropyLoss, cross_entropy
from .info_nce_loss import InfoNCELoss, info_nce_loss
from .paired_distance import PairedDistanceLoss, paired_distance
from .prompt_contrast import image_to_prompt_loss, prompt_to_image_loss
from .prompt_id_loss import PromptIDLoss, prompt_id_loss
from .prototype_contrast import (
    PrototypeContrastLoss,
    printed_prototype_contrast,
    prototype_contrast_loss,
)
from .sdm_loss import SDMLoss, sdm_loss
from .supcon_loss import SupConLoss, supcon_loss
from .tal_loss import TALLoss, tal_loss
from .triplet_loss import TripletLoss, triplet_loss

__all__ = [
    'CMPCLoss',
    'CMPMLoss',
    'CMPRLoss',
    'CenterLoss',
    'CrossEntropyLoss',
    'InfoNCELoss',
    'PairedDistanceLoss',
    'PromptIDLoss',
    'PrototypeContrastLoss',
    'SDMLoss',
    'SupConLoss',
    'TALLoss',
    'TripletLoss',
    'center_loss',
    'cmpc_loss',
    'cmpm_loss',
    'cmpr_loss',
    'cross_entropy',
    'image_to_prompt_loss',
    'info_nce_loss',
    'move_centers',
    'paired_distance',
    'printed_prototype_contrast',
    'prompt_id_loss',
    'prompt_to_image_loss',
    'prototype_contrast_loss',
    'sdm_loss',
    'supcon_loss',
    'tal_loss',
    'triplet_loss',
]

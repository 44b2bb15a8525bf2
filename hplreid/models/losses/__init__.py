"""Losses: a pure function each, and a registered class that holds its options."""

from .cmpr_loss import CMPRLoss, cmpr_loss
from .cross_entropy import CrossEntropyLoss, cross_entropy
from .info_nce_loss import InfoNCELoss, info_nce_loss
from .paired_distance import PairedDistanceLoss, paired_distance
from .prompt_contrast import image_to_prompt_loss, prompt_to_image_loss
from .prompt_id_loss import PromptIDLoss, prompt_id_loss
from .sdm_loss import SDMLoss, sdm_loss
from .supcon_loss import SupConLoss, supcon_loss
from .triplet_loss import TripletLoss, triplet_loss

__all__ = [
    'CMPRLoss',
    'CrossEntropyLoss',
    'InfoNCELoss',
    'PairedDistanceLoss',
    'PromptIDLoss',
    'SDMLoss',
    'SupConLoss',
    'TripletLoss',
    'cmpr_loss',
    'cross_entropy',
    'image_to_prompt_loss',
    'info_nce_loss',
    'paired_distance',
    'prompt_id_loss',
    'prompt_to_image_loss',
    'sdm_loss',
    'supcon_loss',
    'triplet_loss',
]

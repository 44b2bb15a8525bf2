"""Measurements of training: what a step of a config takes, and of which device.

Batches are made up, so that no dataset is needed; models, losses and optimizers are
those of the config. Programs that print or write what is measured are in ``tools``.
"""

from .device_bound import data_sheet_flops, measure_product_flops
from .made_up_data import make_up_batch
from .step_options import OPTIONS, apply_option
from .training_benchmark import measure_training
from .training_case import TrainingCase, count_trained

__all__ = [
    'OPTIONS',
    'TrainingCase',
    'apply_option',
    'count_trained',
    'data_sheet_flops',
    'make_up_batch',
    'measure_product_flops',
    'measure_training',
]

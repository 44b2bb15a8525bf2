"""Hooks: what happens around training steps and tests.

Saving and resuming checkpoints, logging losses, drawing ranked lists. A hook doesn't
compute losses or scores and doesn't decide the order of steps: that is for models,
metrics and ``loops``.
"""

from .atomic_checkpoint_hook import AtomicCheckpointHook
from .gradient_share_hook import GradientShareHook
from .interrupt_hook import InterruptHook
from .kept_weights_hook import ChangedWeightsError, KeptWeightsHook
from .loss_log_hook import LossLogHook, NonFiniteLossError
from .progress_hook import ProgressHook
from .ranked_list_hook import RankedListHook
from .relevance_map_hook import RelevanceMapHook
from .resume_hook import ResumeHook
from .score_log_hook import ScoreLogHook
from .weight_norm_hook import WeightNormHook

__all__ = [
    'AtomicCheckpointHook',
    'ChangedWeightsError',
    'GradientShareHook',
    'InterruptHook',
    'KeptWeightsHook',
    'LossLogHook',
    'NonFiniteLossError',
    'ProgressHook',
    'RankedListHook',
    'RelevanceMapHook',
    'ResumeHook',
    'ScoreLogHook',
    'WeightNormHook',
]

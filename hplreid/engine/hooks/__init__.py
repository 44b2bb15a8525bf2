"""Hooks: what happens around training steps and tests.

Saving and resuming checkpoints, logging losses, drawing ranked lists. A hook doesn't
compute losses or scores and doesn't decide the order of steps: that is for models,
metrics and ``loops``.
"""

from .atomic_checkpoint_hook import AtomicCheckpointHook
from .interrupt_hook import InterruptHook
from .loss_log_hook import LossLogHook, NonFiniteLossError
from .progress_hook import ProgressHook
from .ranked_list_hook import RankedListHook
from .resume_hook import ResumeHook

__all__ = [
    'AtomicCheckpointHook',
    'InterruptHook',
    'LossLogHook',
    'NonFiniteLossError',
    'ProgressHook',
    'RankedListHook',
    'ResumeHook',
]

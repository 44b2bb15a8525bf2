"""What happens around the steps: saving, resuming, logging, drawing."""

from .atomic_checkpoint_hook import AtomicCheckpointHook
from .loss_log_hook import LossLogHook, NonFiniteLossError
from .ranked_list_hook import RankedListHook
from .resume_hook import ResumeHook

__all__ = [
    'AtomicCheckpointHook',
    'LossLogHook',
    'NonFiniteLossError',
    'RankedListHook',
    'ResumeHook',
]

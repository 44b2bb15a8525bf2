"""What a run needs to be stopped anywhere and to go on exactly.

Signals, the lock and the leftovers of a work folder, the checkpoint from which to
resume. What a checkpoint holds and when it is saved is for ``hooks``.
"""

from .folder_lock import FolderInUseError, WorkFolderError, in_locked_folder
from .resume_point import find_resume_point
from .signals import EXIT_CODE, RunInterrupted, stop_on_signals

__all__ = [
    'EXIT_CODE',
    'FolderInUseError',
    'RunInterrupted',
    'WorkFolderError',
    'find_resume_point',
    'in_locked_folder',
    'stop_on_signals',
]

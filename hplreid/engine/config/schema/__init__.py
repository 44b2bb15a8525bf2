"""What a config may say: which keys each place has, and values of which type.

All is taken from the signatures of what is built, so that a new component needs no
entry here. Nothing here reads files or data; models are not built.
"""

from .check_settings import find_setting_problems
from .classes import explain_unknown, find_class
from .trial_builds import find_trial_problems

__all__ = [
    'explain_unknown',
    'find_class',
    'find_setting_problems',
    'find_trial_problems',
]

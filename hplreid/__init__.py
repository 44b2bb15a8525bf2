"""Language-guided person re-identification: search by image and by text.

The version and a check of the environment, nothing else: sub-packages are imported by
name, so that importing this one takes no time.
"""

from .utils.environment import check_environment
from .version import __version__

check_environment()

__all__ = ['__version__']

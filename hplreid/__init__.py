"""Language-guided person re-identification: search by image and by words."""

from .utils.environment import check_environment
from .version import __version__

check_environment()

__all__ = ['__version__']

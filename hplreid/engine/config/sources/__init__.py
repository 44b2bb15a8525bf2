"""The files of a config: the one that is named, its bases, and who sets which value.

Files are parsed here, not run. What their values mean is in ``schema``; how a config
is made of them, in ``read``.
"""

from .family import ConfigFile, read_family
from .listing import Setting, list_settings
from .locate import Source, locate
from .names import find_name_problems, find_readers

__all__ = [
    'ConfigFile',
    'Setting',
    'Source',
    'find_name_problems',
    'find_readers',
    'list_settings',
    'locate',
    'read_family',
]

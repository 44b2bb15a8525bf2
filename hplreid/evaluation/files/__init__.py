"""Features and per-query scores in files, read without executing anything in them.

Nothing here computes a score.
"""

from .array_file import ArrayFileError
from .feature_file import FeatureSet
from .per_query_file import PerQueryScores, find_differences

__all__ = [
    'ArrayFileError',
    'FeatureSet',
    'PerQueryScores',
    'find_differences',
]

"""Features and scores in files, read without executing anything in them.

Each file says where its content comes from, and the ledger lists all evaluations of a
work folder. Nothing here computes a score.
"""

from .array_file import ArrayFileError
from .attribute_table import AttributeTableError, read_attributes
from .feature_file import FeatureSet
from .feature_items import UnnamedItemsError, is_image_name, name_items
from .ledger import LEDGER, append_entry, read_ledger
from .per_query_file import PerQueryScores, find_differences
from .same_items import OtherItemsError, check_same_items
from .score_file import ScoreFileError, read_scores, write_scores

__all__ = [
    'LEDGER',
    'ArrayFileError',
    'AttributeTableError',
    'FeatureSet',
    'OtherItemsError',
    'PerQueryScores',
    'ScoreFileError',
    'UnnamedItemsError',
    'append_entry',
    'check_same_items',
    'find_differences',
    'is_image_name',
    'name_items',
    'read_attributes',
    'read_ledger',
    'read_scores',
    'write_scores',
]

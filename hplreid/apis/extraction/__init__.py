"""Features of many images, to a file: what to encode, in parts that outlive a kill.

``listing`` says which images, ``parts`` keeps what is done, ``feature_table`` writes
the file. How an image is encoded is ``ReIDInferencer``'s.
"""

from .extract import extract_features
from .feature_table import read_feature_table
from .listing import list_benchmark, list_given, list_table

__all__ = [
    'extract_features',
    'list_benchmark',
    'list_given',
    'list_table',
    'read_feature_table',
]

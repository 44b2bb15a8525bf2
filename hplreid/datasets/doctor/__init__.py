"""Looking a dataset over: what is missing, broken, doubled or can't be scored."""

from .examine import examine
from .finding import Finding
from .report import Report
from .split_selection import SplitConfig, find_split_configs, parse_dataset

__all__ = [
    'Finding',
    'Report',
    'SplitConfig',
    'examine',
    'find_split_configs',
    'parse_dataset',
]

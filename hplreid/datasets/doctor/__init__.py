"""Looking a dataset over: what is missing, broken, doubled or can't be scored."""

from .examine import examine
from .finding import Finding
from .report import Report
from .split_selection import Wanted, find_wanted, parse_data_set

__all__ = [
    'Finding',
    'Report',
    'Wanted',
    'examine',
    'find_wanted',
    'parse_data_set',
]

"""The doctor: examines a dataset for missing, broken, duplicate and unscorable data.

``examine`` reads the splits, runs the ``checks`` and returns a report. Nothing is
repaired here, and errors that stop training are raised by the datasets themselves. The
command line is ``tools/dataset_tools/doctor.py``.
"""

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

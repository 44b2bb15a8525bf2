"""Datasets of your own: a table with a row per image, or a folder per identity.

Reading, validating and numbering the rows lives here too. Published benchmarks, with
their fixed layouts and counts, live in ``benchmarks``.
"""

from .folder_dataset import FolderDataset
from .own_dataset import OwnDataset
from .table_dataset import TableDataset

__all__ = [
    'FolderDataset',
    'OwnDataset',
    'TableDataset',
]

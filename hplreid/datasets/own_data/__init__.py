"""Datasets of one's own: a table with a row per image, or a folder per identity.

How rows are read, checked and numbered lives here too. Published benchmarks, with their
fixed counts, live in ``benchmarks``.
"""

from .folder_dataset import FolderDataset
from .own_dataset import OwnDataset
from .table_dataset import TableDataset

__all__ = [
    'FolderDataset',
    'OwnDataset',
    'TableDataset',
]

"""Methods and the parts that they are assembled from."""

from .data_preprocessor import ReIDDataPreprocessor
from .reid import HPL, BaseReID, DualEncoder

__all__ = ['HPL', 'BaseReID', 'DualEncoder', 'ReIDDataPreprocessor']

"""Methods and the parts that they are assembled from.

``reid`` holds a file per method; towers, prompt learners, inversion networks, necks,
heads and losses have rooms of their own. A model opens no file but weights, builds no
loader and knows no dataset.
"""

from .data_preprocessor import ReIDDataPreprocessor
from .reid import HPL, BaseReID, DualEncoder

__all__ = ['HPL', 'BaseReID', 'DualEncoder', 'ReIDDataPreprocessor']

"""What travels between data, model and evaluation: samples, features, ranked lists.

Plain containers that check their shapes. Nothing here reads a file or computes a
score.
"""

from .erasure import Erasure
from .feature_bundle import FeatureBundle
from .reid_data_sample import ReIDDataSample

__all__ = ['Erasure', 'FeatureBundle', 'ReIDDataSample']

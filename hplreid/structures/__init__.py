"""What travels between data, model and evaluation."""

from .erasure import Erasure
from .feature_bundle import FeatureBundle
from .reid_data_sample import ReIDDataSample

__all__ = ['Erasure', 'FeatureBundle', 'ReIDDataSample']

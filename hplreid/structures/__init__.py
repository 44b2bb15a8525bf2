"""What travels between data, model and evaluation."""

from .feature_bundle import FeatureBundle
from .reid_data_sample import ReIDDataSample

__all__ = ['FeatureBundle', 'ReIDDataSample']

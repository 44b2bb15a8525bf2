"""Necks: what stands between a feature and its classifier."""

from .bn_neck import BNNeck

__all__ = ['BNNeck']

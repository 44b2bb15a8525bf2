"""Registered metrics: they collect features and call the pure functions."""

from .retrieval_metric import RetrievalMetric

__all__ = ['RetrievalMetric']

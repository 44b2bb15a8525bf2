"""Registered metrics: they collect features over processes and call pure functions.

Which protocol a task follows is decided here. No score is computed here: that is the
work of the rooms beside this one.
"""

from .retrieval_metric import RetrievalMetric

__all__ = ['RetrievalMetric']

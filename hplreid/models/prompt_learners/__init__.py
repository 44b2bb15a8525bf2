"""Learnable prompts: identity tokens, templates, hierarchical composition."""

from .hierarchical import HierarchicalPromptLearner
from .template import PromptTemplate, clip_tokenizer

__all__ = ['HierarchicalPromptLearner', 'PromptTemplate', 'clip_tokenizer']

"""Learnable prompts: identity tokens, templates, hierarchical composition."""

from .hierarchical import HierarchicalPromptLearner
from .identity import IdentityPromptLearner
from .instance import InstancePromptLearner
from .prototype import PrototypeLearner
from .template import PromptTemplate, clip_tokenizer

__all__ = [
    'HierarchicalPromptLearner',
    'IdentityPromptLearner',
    'InstancePromptLearner',
    'PromptTemplate',
    'PrototypeLearner',
    'clip_tokenizer',
]

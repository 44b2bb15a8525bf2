"""Prompt learners: identity tokens, templates, hierarchical composition, prototypes.

They make embedded prompts. The text tower that encodes them lives in ``backbones``,
what makes pseudo-tokens in ``inversion``.
"""

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

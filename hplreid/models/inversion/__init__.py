"""Inversion networks: from an image or a caption to pseudo-tokens of a prompt.

All take a token sequence and its pooled feature. The prompt around the pseudo-tokens
lives in ``prompt_learners``.
"""

from .base import BaseInversion
from .pointwise import LinearInversion, MLPInversion
from .transformer import (
    ClassTokenInversion,
    CrossAttentionInversion,
    FirstTokensInversion,
    QueryInversion,
)

__all__ = [
    'BaseInversion',
    'ClassTokenInversion',
    'CrossAttentionInversion',
    'FirstTokensInversion',
    'LinearInversion',
    'MLPInversion',
    'QueryInversion',
]

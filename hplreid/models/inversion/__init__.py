"""Networks from an image or a caption to pseudo-tokens of a prompt."""

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

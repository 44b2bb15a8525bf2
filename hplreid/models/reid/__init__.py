"""Methods, one file each."""

from .base_reid import BaseReID
from .dual_encoder import DualEncoder
from .hpl import HPL

__all__ = ['HPL', 'BaseReID', 'DualEncoder']

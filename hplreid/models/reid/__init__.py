"""Methods, one file each."""

from .base_reid import BaseReID
from .clip_reid import CLIPReID
from .dual_encoder import DualEncoder
from .hpl import HPL
from .image_reid import ImageReID
from .promptsg import PromptSG
from .propot import Propot

__all__ = [
    'HPL',
    'BaseReID',
    'CLIPReID',
    'DualEncoder',
    'ImageReID',
    'PromptSG',
    'Propot',
]

"""Methods, one file each: the flow from images and captions to named features.

What several methods share stands in ``base_reid``, ``image_reid`` and ``dual_encoder``.
Parts that a config swaps live in the rooms beside this one.
"""

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

"""Image and text towers, and the reading of their weights.

A tower returns named features and says how wide they are. What pools or transforms
features of a tower is a neck.
"""

from .clip_image_encoder import CLIPImageEncoder
from .clip_resnet_encoder import CLIPResNetEncoder
from .clip_text_encoder import CLIPPromptEncoder, CLIPTextEncoder
from .resnet import ResNetEncoder
from .task_routed_transformer import TaskRoutedTransformer
from .transreid import TransReIDEncoder, shift_and_shuffle
from .weights import WeightsError, find_weights, read_state_dict

__all__ = [
    'CLIPImageEncoder',
    'CLIPPromptEncoder',
    'CLIPResNetEncoder',
    'CLIPTextEncoder',
    'ResNetEncoder',
    'TaskRoutedTransformer',
    'TransReIDEncoder',
    'WeightsError',
    'find_weights',
    'read_state_dict',
    'shift_and_shuffle',
]

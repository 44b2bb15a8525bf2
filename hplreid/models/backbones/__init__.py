"""Image and text towers."""

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

"""Image and text towers."""

from .clip_image_encoder import CLIPImageEncoder
from .clip_text_encoder import CLIPPromptEncoder, CLIPTextEncoder
from .task_routed_transformer import TaskRoutedTransformer
from .weights import WeightsError, find_weights, read_state_dict

__all__ = [
    'CLIPImageEncoder',
    'CLIPPromptEncoder',
    'CLIPTextEncoder',
    'TaskRoutedTransformer',
    'WeightsError',
    'find_weights',
    'read_state_dict',
]

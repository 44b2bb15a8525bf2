"""Explanations of a trained model: from a config, a checkpoint and images to figures.

``single_items`` opens the model and reads images, ``drawn`` makes figures of them,
``measured`` says how faithful maps are. The maps are those of
``hplreid.visualization.explain``, which knows no config and no file.
"""

from .drawn import choose_queries, draw_caption_of, draw_pairs_of, draw_tokens_of
from .single_items import SingleItems, open_checkpoint

__all__ = [
    'SingleItems',
    'choose_queries',
    'draw_caption_of',
    'draw_pairs_of',
    'draw_tokens_of',
    'open_checkpoint',
]

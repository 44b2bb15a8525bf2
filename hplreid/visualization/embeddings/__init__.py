"""Maps of features: which items lie together, and how far captions lie from images.

``embedded_items`` chooses what is shown, ``projection`` puts it into a plane,
``modality_gap`` measures; ``scatter`` draws a figure and ``page`` an interactive page.
"""

from .embedded_items import EmbeddedItems, choose_items
from .modality_gap import ModalityGap, measure_gap
from .page import write_embedding_page
from .projection import METHODS, project
from .scatter import draw_embedding

__all__ = [
    'METHODS',
    'EmbeddedItems',
    'ModalityGap',
    'choose_items',
    'draw_embedding',
    'measure_gap',
    'project',
    'write_embedding_page',
]

"""Layers and helpers that components of several kinds share.

Position embeddings, full precision, and how blocks of transformers are run. What only
one kind of component uses stands in its own room.
"""

from .position_embedding import (
    guess_grid,
    refit_positions,
    resize_position_embedding,
)

__all__ = ['guess_grid', 'refit_positions', 'resize_position_embedding']

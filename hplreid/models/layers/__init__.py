"""Small pieces that several components share."""

from .position_embedding import guess_grid, resize_position_embedding

__all__ = ['guess_grid', 'resize_position_embedding']

"""Resizing of learned position embeddings to another grid of patches."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def guess_grid(num_patches: int, target: tuple[int, int]) -> tuple[int, int]:
    """Return the grid that ``num_patches`` positions were learned on.

    As many as the target has: the target's own grid. A square number: a square.

    Raises:
        ValueError: Neither holds, so that the grid must be given.

    Example:
        >>> from hplreid.models.layers import guess_grid
        >>> guess_grid(196, target=(16, 8))
        (14, 14)
        >>> guess_grid(128, target=(16, 8))
        (16, 8)
    """
    if num_patches == target[0] * target[1]:
        return target
    side = math.isqrt(num_patches)
    if side * side != num_patches:
        raise ValueError(
            f'The weights have {num_patches} patch positions: neither the {target[0]}x'
            f'{target[1]} of this model nor a square. Give `pretrained_grid=(rows, '
            'columns)`.'
        )
    return side, side


def resize_position_embedding(
    embedding: Tensor,
    old_grid: tuple[int, int],
    new_grid: tuple[int, int],
) -> Tensor:
    """Interpolate patch positions bilinearly; the class token's row is kept.

    Args:
        embedding: ``(1 + rows * columns, width)``, the class token first.
        old_grid: Rows and columns of ``embedding``.
        new_grid: Rows and columns to produce.

    Returns:
        ``(1 + new rows * new columns, width)``.

    Raises:
        ValueError: ``embedding`` has another number of rows than ``old_grid`` says.

    Example:
        >>> import torch
        >>> from hplreid.models.layers import resize_position_embedding
        >>> embedding = torch.rand(1 + 14 * 14, 32)
        >>> resize_position_embedding(embedding, (14, 14), (16, 8)).shape
        torch.Size([129, 32])
    """
    if len(embedding) != 1 + old_grid[0] * old_grid[1]:
        raise ValueError(
            f'{len(embedding)} positions do not make a class token and a grid of '
            f'{old_grid[0]}x{old_grid[1]}.'
        )
    if old_grid == new_grid:
        return embedding
    patches = embedding[1:].reshape(1, *old_grid, -1).permute(0, 3, 1, 2)
    patches = F.interpolate(patches, size=new_grid, mode='bilinear')
    return torch.cat([embedding[:1], patches[0].flatten(1).T])

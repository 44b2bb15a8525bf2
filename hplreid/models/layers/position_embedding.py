"""Resizing of learned position embeddings to another grid of patches."""

import math
from collections.abc import Sequence

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


def refit_positions(
    embedding: Tensor,
    new_grid: tuple[int, int],
    trained_grid: tuple[int, int] | None = None,
    other_grid: Sequence[int] | None = None,
) -> tuple[Tensor, str]:
    """Interpolate the positions of a tower that was trained at another image size.

    Args:
        embedding: ``(1 + rows * columns, width)``, the class token first.
        new_grid: Rows and columns of the tower that is to have them.
        trained_grid: Rows and columns of the tower that was trained; None if unknown.
        other_grid: Rows and columns to assume then. Defaults to :func:`guess_grid`'s.

    Returns:
        ``(1 + new rows * new columns, width)``, and a line that says so. What doesn't
        have the rows of ``trained_grid`` is returned as it is, with an empty line.

    Raises:
        ValueError: The grid isn't known and can't be guessed.

    Example:
        >>> import torch
        >>> from hplreid.models.layers import refit_positions
        >>> positions, line = refit_positions(torch.rand(129, 32), (24, 8), (16, 8))
        >>> positions.shape, line
        (torch.Size([193, 32]), 'positions interpolated from a grid of 16x8 ... 24x8')
    """
    if embedding.dim() != 2 or not embedding.is_floating_point():
        return embedding, ''
    patches = len(embedding) - 1
    rows, columns = trained_grid or other_grid or guess_grid(patches, new_grid)
    if patches != rows * columns or (rows, columns) == new_grid:
        return embedding, ''
    resized = resize_position_embedding(embedding.float(), (rows, columns), new_grid)
    return resized, (
        f'positions interpolated from a grid of {rows}x{columns} patches to '
        f'{new_grid[0]}x{new_grid[1]}'
    )

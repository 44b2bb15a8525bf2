"""Stack the tensors of those items of a batch that have one."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor


def stack_present(
    values: Sequence[Tensor | None],
    what: str,
    stack: Callable[[list[Tensor]], Tensor] = torch.stack,
) -> tuple[Tensor, Tensor]:
    """Stack the tensors of a list, and return their positions in it.

    Args:
        values: A tensor, or None, for each item of a batch.
        what: What the tensors are, for the error message.
        stack: The function that stacks them. Defaults to ``torch.stack``.

    Returns:
        The stacked tensors ``(N, ...)``, and their positions ``(N,)`` int64. Both are
        empty if there are none.

    Raises:
        ValueError: The tensors differ in shape.

    Example:
        >>> images = [torch.ones(2), None, torch.zeros(2)]
        >>> stacked, rows = stack_present(images, 'images')
        >>> stacked.shape, rows
        (torch.Size([2, 2]), tensor([0, 2]))
    """
    rows = [row for row, value in enumerate(values) if value is not None]
    present = [value for value in values if value is not None]
    shapes = sorted({tuple(value.shape) for value in present})
    if len(shapes) > 1:
        raise ValueError(
            f'The {what} of a batch differ in shape: {shapes}. They must be made equal '
            'in the pipeline (ResizeImage for images, TokenizeCaption for captions).'
        )
    stacked = stack(present) if present else torch.empty(0)
    return stacked, torch.tensor(rows, dtype=torch.int64)

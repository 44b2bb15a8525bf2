"""What all towers share: how their forward pass is executed."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

import torch
from mmengine.device import get_device
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ..layers.compilation import compile_whole, find_compiler_problem


class Tower(BaseModule):
    """An encoder whose forward pass may be compiled, or keep fewer activations.

    Neither changes names in a state dict, so that checkpoints don't depend on it.

    A tower's ``forward`` takes ``reads``, the names of the features that anyone will
    read. It returns at least those and may leave others out, together with the work
    that only they need; without it, it returns all.

    Attributes:
        encodes: What it is given: ``'images'``, ``'captions'`` or ``'prompts'``.
        has_clip_arch: Whether its ``arch`` names an architecture of open_clip's, with
            a text tower beside it.

    Args:
        checkpoint_blocks: Keep only the input of each transformer block and compute
            the block again in the backward pass. Outputs and gradients are the same;
            random numbers (dropped paths) are drawn as the first time.
        compiled: Compile the whole ``forward`` with ``torch.compile`` when it is first
            called: equal but for rounding, and for which random numbers dropped paths
            draw.

    Raises:
        ValueError: ``compiled``, and this machine can't compile.
    """

    encodes = 'images'
    has_clip_arch = False

    def __init__(self, checkpoint_blocks: bool = False, compiled: bool = False) -> None:
        super().__init__()
        self.checkpoint_blocks = checkpoint_blocks
        problems = find_execution_problems(compiled)
        if problems:
            raise ValueError(problems[0])
        if compiled:
            compile_whole(self)

    def run(self, block: Callable[..., Tensor], *args: Any, **kwargs: Any) -> Tensor:  # noqa: ANN401
        """Call a function that runs a block, so that it is computed again if asked."""
        if self.checkpoint_blocks and torch.is_grad_enabled():
            return checkpoint(block, *args, use_reentrant=False, **kwargs)
        return block(*args, **kwargs)


def find_execution_problems(compiled: bool = False, **_: object) -> list[str]:
    """Return a message for each of a tower's options that this machine can't do."""
    if not compiled:
        return []
    problem = find_compiler_problem(get_device())
    return [problem] if problem else []


def any_read(reads: Collection[str] | None, *names: str) -> bool:
    """Return whether one of these features is read; with None all are.

    Example:
        >>> from hplreid.models.backbones.tower import any_read
        >>> any_read(('v', 'u'), 'image_tokens', 'image_hidden')
        False
    """
    return reads is None or any(name in reads for name in names)


def count_patches(
    img_size: Sequence[int], patch: Sequence[int], stride: int | None = None
) -> tuple[int, int]:
    """Return the rows and columns of patches of an image.

    Args:
        img_size: Height and width in pixels.
        patch: Height and width in pixels.
        stride: Step of the patches in pixels; None for patches side by side.

    Example:
        >>> from hplreid.models.backbones.tower import count_patches
        >>> count_patches((256, 128), (16, 16)), count_patches((256, 128), (16, 16), 12)
        ((16, 8), (21, 10))
    """
    rows, columns = (
        (i - p) // (stride or p) + 1 for i, p in zip(img_size, patch, strict=True)
    )
    return rows, columns


def set_memory_format(module: nn.Module, channels_last: bool) -> torch.memory_format:
    """Lay out the weights of convolutions; return the format that maps shall have.

    Loading weights and moving to a device keep the layout.
    """
    if not channels_last:
        return torch.contiguous_format
    module.to(memory_format=torch.channels_last)
    return torch.channels_last

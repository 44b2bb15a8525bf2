"""Whether fp32 products on a GPU may be rounded to TF32: the one place that says so.

TF32 keeps 10 of the 23 bits of a mantissa. PyTorch allows it in convolutions, and not
in matrix products. Here neither has it unless a training asks for it
(``train_cfg.tf32=True``), and then only its steps: what a mixed-precision step leaves
in fp32 (softmax over all identities at a temperature of 0.02, say) was left there for
its bits and costs next to nothing, and features and ranks should be those of a CPU. It
is for trainings in fp32, whose products take a fraction of the time with it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


def set_tf32(allowed: bool) -> None:
    """Allow or forbid TF32 in matrix products and convolutions of this process.

    Example:
        >>> set_tf32(False)
        >>> torch.backends.cudnn.allow_tf32
        False
    """
    # The older of PyTorch's two interfaces: torch.compile fails where both were used
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.allow_tf32 = allowed


@contextmanager
def tf32(allowed: bool) -> Iterator[None]:
    """Allow or forbid TF32 within a ``with`` block.

    Example:
        >>> set_tf32(False)
        >>> with tf32(True):
        ...     torch.backends.cuda.matmul.allow_tf32
        True
        >>> torch.backends.cuda.matmul.allow_tf32
        False
    """
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    set_tf32(allowed)
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


def describe_tf32(allowed: bool) -> str:
    """Return a line for the log.

    Example:
        >>> describe_tf32(False)
        'TF32 is off (train_cfg.tf32): what is computed in fp32 keeps all its bits.'
    """
    if allowed:
        return (
            'TF32 is on in training steps (train_cfg.tf32): fp32 products keep 10 of '
            '23 bits of the mantissa. Scores are computed without it.'
        )
    return 'TF32 is off (train_cfg.tf32): what is computed in fp32 keeps all its bits.'

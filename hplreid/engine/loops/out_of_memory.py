"""Say what to do when a training step doesn't fit into memory, of a GPU or not."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.optim import OptimWrapper

from hplreid.utils.atomic_files import show_size
from hplreid.utils.user_error import UserError

from .stage import Stage


class TrainingMemoryError(UserError, RuntimeError):
    """A training step needs more memory than the GPU or the machine has."""


@contextmanager
def explain_out_of_memory(
    batch: dict[str, Any], stage: Stage, optim_wrapper: OptimWrapper
) -> Iterator[None]:
    """Replace an out-of-memory error within a ``with`` block by one that says more.

    Raises:
        TrainingMemoryError: The message has the sizes of the batch, the memory of the
            GPU or of the machine, and what can be changed.
    """
    try:
        yield
    except torch.cuda.OutOfMemoryError as error:
        whose, memory = "the GPU's memory", _describe_gpu()
        raise _explain(batch, stage, optim_wrapper, whose, memory, error) from error
    except (RuntimeError, MemoryError) as error:
        # PyTorch has no class of its own for a failed allocation on a CPU
        if isinstance(error, RuntimeError) and 'DefaultCPUAllocator' not in str(error):
            raise
        whose, memory = 'memory', _describe_machine()
        raise _explain(batch, stage, optim_wrapper, whose, memory, error) from error


def _explain(
    batch: dict[str, Any],
    stage: Stage,
    optim_wrapper: OptimWrapper,
    whose: str,
    memory: str,
    error: Exception,
) -> TrainingMemoryError:
    """Return the error that says what was too large for which memory."""
    chosen = getattr(optim_wrapper, 'precision', None)  # MMEngine's have none
    precision = 'fp32' if chosen is None else chosen.name
    advice = '\n'.join(f'  - {line}' for line in _advise(batch, stage, precision))
    said = str(error) or type(error).__name__
    return TrainingMemoryError(
        f"A step of stage '{stage.name}' does not fit into {whose}: "
        f'{_describe_batch(batch)} in {precision}; {memory}. Try, with '
        f'--cfg-options:\n{advice}\nPyTorch said: {said}'
    )


def _advise(batch: dict[str, Any], stage: Stage, precision: str) -> list[str]:
    """Return three things to try; only the last may change what losses see."""
    size = stage.micro_batch_size or _count_items(batch)
    return [
        f'sub-batches, with losses of the whole batch: train_cfg.stages.{stage.name}.'
        f'micro_batch_size={max(size // 2, 1)}',
        'activation checkpointing: model.image_encoder.checkpoint_blocks=True (and '
        'text_encoder, prompt_encoder)',
        'mixed precision: optim_wrapper.precision=bf16'
        if precision == 'fp32'
        else f'a smaller batch; the precision is {precision} already',
    ]


def _count_items(batch: dict[str, Any]) -> int:
    """Return the number of items of a batch, however a collate function packs them."""
    for key in ('data_samples', 'inputs'):
        if isinstance(batch.get(key), (list, torch.Tensor)):
            return len(batch[key])
    return 0


def _describe_batch(batch: dict[str, Any]) -> str:
    """Return the numbers of items and captions of a batch, and the size of images."""
    inputs = batch['inputs']
    parts = [f'{_count_items(batch)} items of this process']
    for name in ('images', 'captions'):
        tensor = inputs.get(name) if isinstance(inputs, dict) else None
        if isinstance(tensor, torch.Tensor) and tensor.dim() > 1 and len(tensor):
            height, width = tensor.shape[-2:]
            size = f' of {height} x {width}' if name == 'images' else ''
            parts.append(f'{len(tensor)} {name}{size}')
    return ', '.join(parts)


def _describe_machine() -> str:
    """Return the memory of the machine in words."""
    try:
        page = os.sysconf('SC_PAGE_SIZE')
        total, free = (
            show_size(page * os.sysconf(name))
            for name in ('SC_PHYS_PAGES', 'SC_AVPHYS_PAGES')
        )
    except (AttributeError, ValueError, OSError):  # not on Linux
        return 'the memory of the machine is not known'
    return f'{free} of {total} are free now'


def _describe_gpu() -> str:
    """Return the peak and the total memory of the GPU in words."""
    if not torch.cuda.is_available():
        return 'its memory is not known'
    device = torch.cuda.get_device_properties(torch.cuda.current_device())
    peak = torch.cuda.max_memory_allocated() / 2**30
    return (
        f'{peak:.1f} GiB of {device.total_memory / 2**30:.1f} GiB were in use at most '
        f'({device.name})'
    )

"""The speed at which a model encodes images and captions at test."""

import statistics
from typing import Any

import torch
from torch import nn

from hplreid.structures import ReIDDataSample
from hplreid.utils.measuring import time_call

Inputs = dict[str, torch.Tensor]


def make_test_inputs(
    model: Any,  # noqa: ANN401
    size: tuple[int, int],
    batch: int,
    device: torch.device | str,
) -> dict[str, Inputs]:
    """Return a batch of images and, where a model has a text tower, of captions.

    Args:
        model: Built for inference.
        size: Height and width of images.
        batch: Items of either.
        device: Where they are made.

    Returns:
        Inputs of the model for ``'images'`` and for ``'captions'``.
    """
    rows = torch.arange(batch, device=device)
    empty = dict(
        images=torch.empty(0, 3, *size, device=device),
        image_rows=rows[:0],
        camids=rows[:0],
        captions=torch.empty(0, 0, dtype=torch.int64, device=device),
        caption_rows=rows[:0],
    )
    images = torch.randn(batch, 3, *size, device=device)
    image_inputs = dict(empty, images=images, image_rows=rows, camids=rows % 2)
    if not hasattr(model, 'text_encoder'):
        return {'images': image_inputs}
    length = int(model.text_encoder.context_length)
    captions = torch.randint(1, 400, (batch, length), device=device)
    return {
        'images': image_inputs,
        'captions': dict(empty, captions=captions, caption_rows=rows),
    }


def time_extraction(model: nn.Module, inputs: Inputs, batch: int) -> float:
    """Return the seconds in which a model encodes a batch, features on the CPU."""
    samples: list[Any] = [ReIDDataSample() for _ in range(batch)]
    return time_call(lambda: model(inputs, samples, mode='predict'))[0]


def measure_extraction(
    model: nn.Module, inputs: Inputs, batch: int, rounds: int = 5
) -> float:
    """Return items a second, the median of some rounds after two to warm up."""
    with torch.inference_mode():
        times = [time_extraction(model, inputs, batch) for _ in range(rounds + 2)]
    return batch / statistics.median(times[2:])

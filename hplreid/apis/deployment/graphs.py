"""The parts of a model that retrieval runs, as functions of tensors alone."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

TASK_OF_OUTPUT = {'i2i_feat': 'i2i', 't2i_feat': 't2i'}
"""Outputs of the graphs, and the task each is compared for."""


class ImageGraph(nn.Module):
    """Images as they are decoded, to the features that they are compared by.

    Args:
        model: The model, in evaluation mode.

    Example:
        >>> from hplreid.apis import get_model
        >>> model = get_model('clip_tiny_synthpeds-t2i_sdm', weights='pretrained')
        >>> graph = ImageGraph(model)
        >>> images = torch.zeros(3, 3, 128, 64, dtype=torch.uint8)
        >>> graph.outputs, [tuple(f.shape) for f in graph(images)]
        (('i2i_feat', 't2i_feat'), [(3, 128), (3, 128)])
    """

    mean: Tensor
    std: Tensor

    def __init__(self, model: Any) -> None:  # noqa: ANN401
        super().__init__()
        self.model = model
        self.wanted = [model.i2i_feature]
        if hasattr(model, 'text_encoder'):
            self.wanted.append((model.t2i_feature,))
        self.outputs = tuple(TASK_OF_OUTPUT)[: len(self.wanted)]
        self.embeds_cameras = getattr(model.image_encoder, 'num_cameras', 0) > 0
        normalizer = model.data_preprocessor
        self.register_buffer('mean', normalizer.mean.clone(), persistent=False)
        self.register_buffer('std', normalizer.std.clone(), persistent=False)

    def forward(
        self, images: Tensor, camids: Tensor | None = None
    ) -> tuple[Tensor, ...]:
        """Encode images.

        Args:
            images: uint8 ``(B, 3, H, W)``, RGB, at the size of the model.
            camids: Cameras ``(B,)`` int64, for a model that embeds them.

        Returns:
            Float32 ``(B, d)`` for I2I and, with a text tower, for T2I.
        """
        pixels = (images.float() - self.mean) / self.std
        inputs: dict[str, Tensor] = {'images': pixels}
        if camids is not None:
            inputs['camids'] = camids
        return tuple(self.model.image_features(inputs, *self.wanted))


class TextGraph(nn.Module):
    """Token ids of captions to the feature that they are compared by.

    Args:
        model: The model, in evaluation mode, with a text tower.

    Example:
        >>> from hplreid.apis import get_model
        >>> model = get_model('clip_tiny_synthpeds-t2i_sdm', weights='pretrained')
        >>> captions = torch.zeros(2, 77, dtype=torch.int64)
        >>> captions[:, 5] = 49407  # the end of text
        >>> TextGraph(model)(captions).shape
        torch.Size([2, 128])
    """

    def __init__(self, model: Any) -> None:  # noqa: ANN401
        super().__init__()
        self.text_encoder = model.text_encoder

    def forward(self, captions: Tensor) -> Tensor:
        """Encode captions ``(B, L)`` int64; return float32 ``(B, d)``."""
        return self.text_encoder(captions, ('t',))['t']


def make_images(graph: ImageGraph, count: int, size: tuple[int, int]) -> tuple:
    """Return made-up inputs of an image graph: noise, and cameras where it has them.

    Example:
        >>> from hplreid.apis import get_model
        >>> model = get_model('clip_tiny_synthpeds-t2i_sdm', weights='pretrained')
        >>> (images,) = make_images(ImageGraph(model), 2, (128, 64))
        >>> images.dtype, tuple(images.shape)
        (torch.uint8, (2, 3, 128, 64))
    """
    generator = torch.Generator().manual_seed(count)
    images = torch.randint(256, (count, 3, *size), generator=generator)
    given = (images.to(torch.uint8),)
    if graph.embeds_cameras:
        cameras = graph.model.image_encoder.num_cameras
        return (*given, torch.arange(count) % cameras)
    return given


def make_captions(count: int, length: int, vocabulary: int) -> Tensor:
    """Return made-up captions, whose ends are at different places.

    Example:
        >>> make_captions(2, 6, 100).argmax(dim=1).tolist()
        [2, 3]
    """
    generator = torch.Generator().manual_seed(count)
    captions = torch.randint(1, vocabulary - 1, (count, length), generator=generator)
    ends = torch.arange(count) % (length - 2) + 2
    places = torch.arange(length)
    captions[places > ends[:, None]] = 0
    captions[torch.arange(count), ends] = vocabulary - 1
    return captions

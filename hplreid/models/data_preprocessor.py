"""The data preprocessor: from a collated batch to the input of a model."""

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from hplreid.registry import MODELS
from hplreid.structures import Erasure, ReIDDataSample
from hplreid.utils.stacking import stack_present


@MODELS.register_module()
class ReIDDataPreprocessor(BaseDataPreprocessor):
    """Normalizes images on the device and says which rows have what.

    Images cross to the device as uint8, a quarter of the bytes of floats. What
    :class:`RandomErasing` has chosen is filled there, once they are normalized. The
    rows are worked out on the CPU, so that no step waits for the device.

    Args:
        mean: Mean of pixels from 0 to 1, RGB. Defaults to CLIP's.
        std: Their standard deviation.
        trim_captions: Whether captions are cut after the last end of text in the batch;
            what follows is padding, which no token before it sees.
        non_blocking: Whether copies to the device may overlap with computing.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        mean: Sequence[float] = (0.48145466, 0.4578275, 0.40821073),
        std: Sequence[float] = (0.26862954, 0.26130258, 0.27577711),
        trim_captions: bool = True,
        non_blocking: bool = True,
    ) -> None:
        super().__init__(non_blocking)
        if len(mean) != 3 or len(std) != 3 or min(std) <= 0 or max(*mean, *std) > 1:
            raise ValueError(
                'mean and std are three numbers each, for pixels from 0 to 1, std '
                f'above 0; got {mean} and {std}.'
            )
        self.trim_captions = trim_captions
        for name, value in (('mean', mean), ('std', std)):
            # In units of pixels from 0 to 255. Not saved: a config holds them
            pixels = torch.tensor(value).view(1, 3, 1, 1) * 255
            self.register_buffer(name, pixels, persistent=False)

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Prepare a batch.

        Args:
            data: ``inputs`` and ``data_samples`` as :func:`reid_collate` makes them, or
                as mmengine's ``pseudo_collate`` does: lists with None for what an item
                lacks.
            training: Whether every item must have an image.

        Returns:
            ``data_samples``, unchanged, and ``inputs``:

            * ``images`` ``(B_img, 3, H, W)`` float32, normalized, then erased in part;
              ``image_rows`` ``(B_img,)`` int64: the items they belong to; ``camids``
              ``(B_img,)`` int64: the cameras, -1 where unknown;
            * ``captions`` ``(B_T, L)`` int64; ``caption_rows`` ``(B_T,)``;
            * ``image_only_rows`` ``(B_I,)``: items without a caption;
            * ``labels`` ``(B,)`` int64, the distinct ones among them, ``unique_labels``
              ``(U,)``, and where each item's stands there, ``unique_index`` ``(B,)``;
            * with :class:`MaskCaption` in the pipeline ``masked_captions`` and
              ``mask_labels`` ``(B_T, L)`` int64: the captions with some tokens masked,
              and those tokens as they were, zeros elsewhere;
            * in a stage with ``cache_features`` those ``features``, by name.

            Without images (captions) in the batch, theirs are empty tensors.

        Raises:
            ValueError: Images or captions differ in shape, an item lacks its image
                in training, or only some captions have been masked.
        """
        inputs, samples = data['inputs'], data['data_samples']
        images, image_rows, captions, caption_rows = _stack(inputs)
        features = inputs.get('features')  # computed before, in the images' place
        if training and features is None and len(image_rows) < len(samples):
            have = set(image_rows.tolist())
            lacking = [s.caption for i, s in enumerate(samples) if i not in have]
            raise ValueError(
                f'{len(lacking)} training items have a caption but no image; the '
                f"first says: '{lacking[0]}'. Expected a dataset of split 'train'."
            )
        masking = _stack_masking(inputs, len(captions))
        if not len(captions):
            captions = torch.empty(0, 0, dtype=torch.int64)
        elif self.trim_captions:
            # The end of text has the largest id, and is never masked
            end = int(captions.argmax(dim=1).max()) + 1
            captions, masking = captions[:, :end], masking[..., :end]
        uncaptioned = torch.ones(len(samples), dtype=torch.bool)
        uncaptioned[caption_rows] = False
        labels = torch.tensor([s.label for s in samples], dtype=torch.int64)
        unique_labels, unique_index = labels.unique(return_inverse=True)
        prepared = {
            'images': images,
            'image_rows': image_rows,
            'camids': _camids_of(image_rows, samples),
            'captions': captions,
            'caption_rows': caption_rows,
            'image_only_rows': uncaptioned.nonzero().flatten(),
            'labels': labels,
            'unique_labels': unique_labels,
            'unique_index': unique_index,
        }
        if features is not None:
            prepared['features'] = features
        if len(masking):
            prepared['masked_captions'], prepared['mask_labels'] = masking.unbind(1)
        erasures = _find_erasures(image_rows, samples)
        prepared = self.cast_data(prepared)
        prepared['images'] = erase(self._normalize(prepared['images']), erasures)
        return {'inputs': prepared, 'data_samples': samples}

    def denormalize(self, images: Tensor) -> Tensor:
        """Return normalized images as uint8, ``(B, 3, H, W)``.

        Erased parts may hold values that no pixel has; they are clamped.
        """
        return (images * self.std + self.mean).round().clamp(0, 255).to(torch.uint8)

    def _normalize(self, images: Tensor) -> Tensor:
        if not len(images):
            return images.new_empty(0, 3, 0, 0, dtype=torch.float32)
        return images.float().sub_(self.mean).div_(self.std)


def erase(images: Tensor, erasures: Sequence[tuple[int, Erasure]]) -> Tensor:
    """Fill rectangles of images with a color or with noise.

    The noise depends on its seed and on the kind of device, on nothing else.

    Args:
        images: ``(B, 3, H, W)``, normalized; changed in place.
        erasures: Positions in the batch, and what to erase there.

    Returns:
        The same tensor.
    """
    generator = torch.Generator(images.device)
    for position, erasure in erasures:
        rows = slice(erasure.top, erasure.top + erasure.height)
        columns = slice(erasure.left, erasure.left + erasure.width)
        patch = images[position, :, rows, columns]
        if erasure.fill is None:
            patch.normal_(generator=generator.manual_seed(erasure.seed))
        else:
            # Numbers, not a tensor of them: that would have to be sent to the device
            for channel, value in zip(patch, erasure.fill, strict=True):
                channel.fill_(value)
    return images


def _camids_of(image_rows: Tensor, samples: Sequence[ReIDDataSample]) -> Tensor:
    camids = (samples[row].get('camid') for row in image_rows.tolist())
    return torch.tensor([-1 if c is None else c for c in camids], dtype=torch.int64)


def _find_erasures(
    image_rows: Tensor, samples: Sequence[ReIDDataSample]
) -> list[tuple[int, Erasure]]:
    """Return the positions of the images to erase, and what of them."""
    found = [samples[row].get('erasure') for row in image_rows.tolist()]
    return [(position, e) for position, e in enumerate(found) if e is not None]


def _stack(inputs: dict[str, Any]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return images, their rows, captions and theirs, however they were collated."""
    if 'images' in inputs:  # reid_collate has stacked them
        return (
            inputs['images'],
            inputs['image_rows'],
            inputs['captions'],
            inputs['caption_rows'],
        )
    images, image_rows = stack_present(inputs['image'], 'images')
    captions, caption_rows = stack_present(inputs['caption'], 'captions')
    return images, image_rows, captions, caption_rows


def _stack_masking(inputs: dict[str, Any], num_captions: int) -> Tensor:
    """Return masked captions and labels, ``(B_T, 2, L)``, empty if there are none."""
    if 'images' in inputs:
        masking = inputs.get('masking', torch.empty(0))
    else:
        masking, _ = stack_present(inputs.get('masking', []), 'masked captions')
    if len(masking) not in (0, num_captions):
        raise ValueError(
            f'{len(masking)} of {num_captions} captions of a batch have been masked: '
            'MaskCaption must stand in the pipeline of all of them, or of none.'
        )
    return masking

"""From a collated batch to what a model takes."""

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from hplreid.registry import MODELS
from hplreid.utils.stacking import stack_present


@MODELS.register_module()
class ReIDDataPreprocessor(BaseDataPreprocessor):
    """Normalises pictures on the device and says which rows have what.

    Pictures cross to the device as uint8, a quarter of the bytes of floats. The rows
    are worked out on the CPU, so that no step waits for the device.

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
            training: Whether every item must have a picture.

        Returns:
            ``data_samples``, unchanged, and ``inputs``:

            * ``images`` ``(B_img, 3, H, W)`` float32, normalised; ``image_rows``
              ``(B_img,)`` int64: the items they belong to;
            * ``captions`` ``(B_T, L)`` int64; ``caption_rows`` ``(B_T,)``;
            * ``image_only_rows`` ``(B_I,)``: items without a caption;
            * ``labels`` ``(B,)`` int64, the distinct ones among them, ``unique_labels``
              ``(U,)``, and where each item's stands there, ``unique_index`` ``(B,)``.

            Without pictures (captions) in the batch, theirs are empty tensors.

        Raises:
            ValueError: Pictures or captions differ in shape, or an item lacks its
                picture in training.
        """
        inputs, samples = data['inputs'], data['data_samples']
        images, image_rows, captions, caption_rows = _stack(inputs)
        if training and len(image_rows) < len(samples):
            have = set(image_rows.tolist())
            lacking = [s.caption for i, s in enumerate(samples) if i not in have]
            raise ValueError(
                f'{len(lacking)} training items have a caption but no picture; the '
                f"first says: '{lacking[0]}'. Expected a data set of split 'train'."
            )
        if not len(captions):
            captions = torch.empty(0, 0, dtype=torch.int64)
        elif self.trim_captions:
            # The end of text has the largest id
            captions = captions[:, : int(captions.argmax(dim=1).max()) + 1]
        uncaptioned = torch.ones(len(samples), dtype=torch.bool)
        uncaptioned[caption_rows] = False
        labels = torch.tensor([s.label for s in samples], dtype=torch.int64)
        unique_labels, unique_index = labels.unique(return_inverse=True)
        prepared = {
            'images': images,
            'image_rows': image_rows,
            'captions': captions,
            'caption_rows': caption_rows,
            'image_only_rows': uncaptioned.nonzero().flatten(),
            'labels': labels,
            'unique_labels': unique_labels,
            'unique_index': unique_index,
        }
        prepared = self.cast_data(prepared)
        prepared['images'] = self._normalise(prepared['images'])
        return {'inputs': prepared, 'data_samples': samples}

    def _normalise(self, images: Tensor) -> Tensor:
        if not len(images):
            return images.new_empty(0, 3, 0, 0, dtype=torch.float32)
        return images.float().sub_(self.mean).div_(self.std)


def _stack(inputs: dict[str, Any]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return pictures, their rows, captions and theirs, however they were collated."""
    if 'images' in inputs:  # reid_collate has stacked them
        return (
            inputs['images'],
            inputs['image_rows'],
            inputs['captions'],
            inputs['caption_rows'],
        )
    images, image_rows = stack_present(inputs['image'], 'pictures')
    captions, caption_rows = stack_present(inputs['caption'], 'captions')
    return images, image_rows, captions, caption_rows

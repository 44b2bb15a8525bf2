"""Making a batch of packed samples."""

from collections.abc import Sequence
from typing import Any

from mmengine.registry import FUNCTIONS
from torch.utils.data import default_collate

from hplreid.utils.stacking import stack_present


@FUNCTIONS.register_module()
def reid_collate(samples: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Stack the images and the captions of a batch, in the worker that loaded it.

    One tensor then crosses to the training process, and into pinned memory, where
    mmengine's ``pseudo_collate`` sends one (and holds a file open) for each image.

    Args:
        samples: What :class:`PackReIDInputs` gives.

    Returns:
        ``inputs`` with ``images`` and ``captions``, stacked, ``image_rows`` and
        ``caption_rows``, the items they belong to, and ``masking``, one a caption or
        empty; ``data_samples``, a list.

    Raises:
        ValueError: Images or captions differ in shape.
    """
    inputs = [sample['inputs'] for sample in samples]
    # In a worker this stacks into memory that the training process shares
    images, image_rows = stack_present(
        [i['image'] for i in inputs], 'images', default_collate
    )
    captions, caption_rows = stack_present([i['caption'] for i in inputs], 'captions')
    masking, _ = stack_present([i.get('masking') for i in inputs], 'masked captions')
    return {
        'inputs': {
            'images': images,
            'image_rows': image_rows,
            'captions': captions,
            'caption_rows': caption_rows,
            'masking': masking,
        },
        'data_samples': [sample['data_samples'] for sample in samples],
    }

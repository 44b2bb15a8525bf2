"""Collating packed samples into a batch."""

from collections.abc import Sequence
from typing import Any

from mmengine.registry import FUNCTIONS
from torch.utils.data import default_collate

from hplreid.utils.stacking import stack_present


@FUNCTIONS.register_module()
def reid_collate(samples: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Stack the images and the captions of a batch, in the worker that loaded them.

    A single tensor is then sent to the training process and pinned, where mmengine's
    ``pseudo_collate`` sends one tensor (and keeps a file open) for each image.

    Args:
        samples: Outputs of :class:`PackReIDInputs`.

    Returns:
        ``inputs`` with the stacked ``images`` and ``captions``, their positions in the
        batch, ``image_rows`` and ``caption_rows``, and ``masking``, one for each
        caption or empty; ``data_samples``, a list.

    Raises:
        ValueError: Images or captions differ in shape.

    Example:
        >>> import torch
        >>> image = {'image': torch.zeros(3, 4, 2, dtype=torch.uint8), 'caption': None}
        >>> text = {'image': None, 'caption': torch.ones(77, dtype=torch.int64)}
        >>> samples = [{'inputs': i, 'data_samples': None} for i in (image, text)]
        >>> batch = reid_collate(samples)
        >>> batch['inputs']['images'].shape, batch['inputs']['image_rows']
        (torch.Size([1, 3, 4, 2]), tensor([0]))
        >>> batch['inputs']['captions'].shape, batch['inputs']['caption_rows']
        (torch.Size([1, 77]), tensor([1]))
    """
    inputs = [sample['inputs'] for sample in samples]
    # In a worker, default_collate stacks into memory shared with the training process
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

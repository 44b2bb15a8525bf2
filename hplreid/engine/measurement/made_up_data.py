"""Batches of made-up images, captions and identities, as a loader makes them."""

from typing import Any

import torch
from torch import Tensor

from hplreid.structures import ReIDDataSample

from ..config.named_pipelines import transform_name
from ..loops import Stage

_CONTEXT, _SOT, _EOT, _MASK = 77, 49406, 49407, 49405  # of CLIP's tokenizer


def make_up_batch(
    stage: Stage,
    num_ids: int,
    batch_size: int | None = None,
    num_cameras: int = 1,
    caption_tokens: int = 40,
    seed: int = 0,
) -> dict[str, Any]:
    """Return a collated batch of a stage: its numbers of images and captions, its size.

    Captions have half of ``caption_tokens`` to all of them; a seventh of their words is
    masked where the pipeline has ``MaskCaption``.

    Args:
        stage: The stage. Its sampler says how many items of which kind there are, its
            pipeline how large images are.
        num_ids: Training identities.
        batch_size: Items in all; the kinds keep their shares. Defaults to the stage's.
        num_cameras: Cameras.
        caption_tokens: Length of the longest caption.
        seed: Of what is made up.

    Raises:
        ValueError: The stage's sampler or pipeline isn't one of this package.

    Example:
        >>> loader = dict(
        ...     batch_size=12,
        ...     sampler=dict(type='JointSampler', num_pairs=4, num_ids=4,
        ...                  num_instances=2),
        ...     dataset=dict(pipeline=[dict(type='ResizeImage', size=(32, 16))]),
        ... )
        >>> stage = Stage('align', 1, ('image_encoder',), {}, dataloader=loader)
        >>> data = make_up_batch(stage, num_ids=9)
        >>> data['inputs']['images'].shape, data['inputs']['captions'].shape
        (torch.Size([12, 3, 32, 16]), torch.Size([4, 77]))
        >>> [sample.label for sample in data['data_samples']][4:]
        [0, 0, 1, 1, 2, 2, 3, 3]
    """
    generator = torch.Generator().manual_seed(seed)
    pairs, ids, instances = count_items(stage.dataloader['sampler'], batch_size)
    height, width, masked = _read_pipeline(stage.dataloader['dataset'])
    total = pairs + ids * instances
    images = torch.randint(0, 256, (total, 3, height, width), generator=generator)
    captions = make_captions(pairs, caption_tokens, generator)
    labels = torch.cat(
        [
            torch.randint(0, num_ids, (pairs,), generator=generator),
            torch.arange(ids).repeat_interleave(instances) % num_ids,
        ]
    ).tolist()
    samples = [
        ReIDDataSample(metainfo=dict(label=y, pid=y, camid=i % max(num_cameras, 1)))
        for i, y in enumerate(labels)
    ]
    return dict(
        inputs=dict(
            images=images.to(torch.uint8),
            image_rows=torch.arange(total),
            captions=captions,
            caption_rows=torch.arange(pairs),
            masking=_mask(captions, generator) if masked else torch.empty(0),
        ),
        data_samples=samples,
    )


def count_items(
    sampler: dict[str, Any], batch_size: int | None = None
) -> tuple[int, int, int]:
    """Return captioned items, identities P and images K of each in a sampler's batch.

    Args:
        sampler: The config of the sampler.
        batch_size: Items in all. Defaults to the sampler's.

    Raises:
        ValueError: The sampler isn't one of this package.

    Example:
        >>> count_items(dict(type='IdentitySampler', batch_size=64, num_instances=4))
        (0, 16, 4)
        >>> count_items(dict(type='CaptionSampler', batch_size=64), batch_size=8)
        (8, 0, 1)
    """
    kind = transform_name(sampler)
    own = sampler.get('batch_size', 64)
    instances = sampler.get('num_instances', 4)
    if kind == 'CaptionSampler':
        return batch_size or own, 0, 1
    if kind == 'ItemSampler':
        return 0, batch_size or own, 1
    if kind == 'IdentitySampler':
        return 0, max((batch_size or own) // instances, 1), instances
    if kind != 'JointSampler':
        raise ValueError(
            f"sampler '{kind}': expected JointSampler, CaptionSampler, IdentitySampler "
            'or ItemSampler, whose batches can be made up.'
        )
    pairs, ids = sampler.get('num_pairs', 64), sampler.get('num_ids', 16)
    share = 1.0 if batch_size is None else batch_size / (pairs + ids * instances)
    return max(round(share * pairs), 1), max(round(share * ids), 1), instances


def _read_pipeline(dataset: dict[str, Any]) -> tuple[int, int, bool]:
    """Return height and width of images, and whether captions are masked."""
    steps = {transform_name(step): step for step in dataset.get('pipeline') or ()}
    if 'ResizeImage' not in steps:
        raise ValueError(
            f'pipeline of {sorted(map(str, steps))}: expected a ResizeImage among '
            'them, which says how large images are.'
        )
    height, width = steps['ResizeImage']['size']
    return height, width, 'MaskCaption' in steps


def make_captions(count: int, longest: int, generator: torch.Generator) -> Tensor:
    """Return tokens of captions of ``longest / 2`` to ``longest``, ``(count, 77)``."""
    captions = torch.zeros(count, _CONTEXT, dtype=torch.int64)
    for row in range(count):
        words = longest // 2 + row % (longest - longest // 2 - 1)
        captions[row, 0] = _SOT
        captions[row, 1 : words + 1] = torch.randint(
            300, 40000, (words,), generator=generator
        )
        captions[row, words + 1] = _EOT
    return captions


def _mask(captions: Tensor, generator: torch.Generator) -> Tensor:
    """Return captions with some words masked, and those words, ``(N, 2, L)``."""
    is_word = (captions > 0) & (captions < _MASK)
    chosen = is_word & (torch.rand(captions.shape, generator=generator) < 0.15)
    masked = torch.where(chosen, _MASK, captions)
    return torch.stack([masked, torch.where(chosen, captions, 0)], dim=1)

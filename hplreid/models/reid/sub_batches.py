"""Split a batch into sub-batches, and join their features again."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from hplreid.structures import FeatureBundle
from hplreid.structures.feature_bundle import ALL

_OF_IMAGES = ('images', 'camids')
_OF_CAPTIONS = ('captions', 'masked_captions', 'mask_labels')
_OF_ROWS = (
    'image_rows',
    'caption_rows',
    'image_only_rows',
    'labels',
    'unique_labels',
    'unique_index',
)


@dataclass(frozen=True)
class SubBatch:
    """A part of a batch.

    Attributes:
        inputs: What the towers take, as :class:`ReIDDataPreprocessor` returns it.
        rows: Its items' places in the batch, ``(b,)`` int64: first those with a
            caption.
    """

    inputs: dict[str, Tensor]
    rows: Tensor


def split_inputs(inputs: dict[str, Tensor], size: int) -> list[SubBatch]:
    """Split a training batch into parts that are as equal as can be.

    Each part has its share of the captioned items and of those without a caption, so
    that all of them take about the same memory; where there are fewer of one kind than
    parts would be, there are as many parts as it has items.

    Args:
        inputs: What :class:`ReIDDataPreprocessor` returns in training.
        size: Items of a part at most, but for one more where a batch of both kinds
            can't be divided evenly, and for batches with few items of a kind.

    Raises:
        ValueError: The batch has something that nobody knows how to split.

    Example:
        >>> rows = torch.arange(6)
        >>> names = 'images', 'camids', 'labels', 'unique_labels', 'unique_index'
        >>> inputs = dict(dict.fromkeys(names, rows), image_rows=rows,
        ...               captions=rows[:2], caption_rows=rows[:2],
        ...               image_only_rows=rows[2:])
        >>> [part.rows.tolist() for part in split_inputs(inputs, size=3)]
        [[0, 2, 3], [1, 4, 5]]
    """
    known = {*_OF_IMAGES, *_OF_CAPTIONS, *_OF_ROWS, 'features'}
    unknown = sorted(inputs.keys() - known)
    if unknown:
        raise ValueError(
            f'The batch has {unknown}, which can not be split into sub-batches: train '
            'without micro_batch_size.'
        )
    kinds = [inputs['caption_rows'], inputs['image_only_rows']]
    count = -(-len(inputs['labels']) // size)
    count = min(count, *(len(k) for k in kinds if len(k)))
    places = zip(*(k.tensor_split(count) for k in kinds), strict=True)
    captions = {k: inputs[k].tensor_split(count) for k in _OF_CAPTIONS if k in inputs}
    return [
        _make_part(inputs, captioned, others, {k: v[i] for k, v in captions.items()})
        for i, (captioned, others) in enumerate(places)
    ]


def _make_part(
    inputs: dict[str, Tensor],
    captioned: Tensor,
    others: Tensor,
    captions: dict[str, Tensor],
) -> SubBatch:
    rows = torch.cat([captioned, others])
    places = torch.arange(len(rows), device=rows.device)
    labels = inputs['labels'][rows]
    unique_labels, unique_index = labels.unique(return_inverse=True)
    part = {
        # In training every item has an image, or features in its place
        **{k: inputs[k][rows] if len(inputs[k]) else inputs[k] for k in _OF_IMAGES},
        **captions,
        'image_rows': places if len(inputs['image_rows']) else inputs['image_rows'],
        'caption_rows': places[: len(captioned)],
        'image_only_rows': places[len(captioned) :],
        'labels': labels,
        'unique_labels': unique_labels,
        'unique_index': unique_index,
    }
    if 'features' in inputs:
        features: dict = inputs['features']  # type: ignore[assignment]
        part['features'] = {k: v[rows] for k, v in features.items()}
    return SubBatch(part, rows)


def features_of(
    bundle: FeatureBundle, names: Collection[str]
) -> dict[str, tuple[Tensor, str]]:
    """Return those named features that a bundle has, tables excepted, with groups."""
    found = {}
    for name in sorted(set(names) & set(bundle.names)):
        group = bundle.group_of(name)
        if group is not None:
            found[name] = bundle.select(name, group)[0], group
    return found


def join_features(
    inputs: dict[str, Tensor],
    parts: Sequence[SubBatch],
    features: Sequence[dict[str, tuple[Tensor, str]]],
) -> FeatureBundle:
    """Return the bundle of a batch, of the features of its parts.

    Args:
        inputs: The batch.
        parts: What :func:`split_inputs` made of it.
        features: Of each part, see :func:`features_of`.
    """
    bundle = FeatureBundle(
        inputs['labels'], inputs['caption_rows'], inputs['image_only_rows']
    )
    order = torch.cat([part.rows for part in parts]).argsort()
    for name in sorted({name for found in features for name in found}):
        have = [found[name] for found in features if name in found]
        value = torch.cat([value for value, _ in have])
        group = have[0][1]
        # Rows of a group are split in order; those of all items are not
        bundle.put(name, value[order] if group == ALL else value, group)
    return bundle

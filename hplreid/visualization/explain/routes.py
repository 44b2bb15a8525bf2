"""The way from a method's feature back to the patches of its image.

A route knows what the attentions of a tower, and of a neck after it, were of: which
outputs were read, and where their inputs came from. Relevance is carried along it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from hplreid.models.backbones import (
    CLIPImageEncoder,
    CLIPResNetEncoder,
    ResNetEncoder,
    TransReIDEncoder,
    shift_and_shuffle,
)
from hplreid.models.necks import BNNeck, InteractionNeck, LinearNeck
from hplreid.models.reid.image_reid import ImageReID

from .errors import ExplainError
from .kinds import mix
from .propagation import Mixing, carry_back, carry_back_normalized, step_back
from .recording import AttentionRecord

_STATES = ('', '_post', '_penultimate')
_TRANSFORMERS = (CLIPImageEncoder, TransReIDEncoder)
_CROSSING = ('attend', 'attend_single')  # variants whose prompt reads the tokens


@dataclass(frozen=True)
class Weighed:
    """An attention and what moved a score there.

    Attributes:
        record: The attention.
        gradient: Of the score by its probabilities; None where there is none.
    """

    record: AttentionRecord
    gradient: Tensor | None

    def mixing(self, kind: str, read: bool = False, residual: bool = True) -> Mixing:
        """Return what its outputs took, see :func:`.mix`."""
        return mix(kind, self.record.probs, self.gradient, read, residual)


def map_layer(model: ImageReID) -> nn.Module | None:
    """Return the layer whose map Grad-CAM weighs; None of a transformer."""
    tower = model.image_encoder
    if isinstance(tower, ResNetEncoder):
        return tower.resnet.layer4
    return tower.visual.layer4 if isinstance(tower, CLIPResNetEncoder) else None


def check_tower(model: nn.Module) -> None:
    """Check that the way through a model's image tower is known.

    Raises:
        ExplainError: It isn't.
    """
    tower = getattr(model, 'image_encoder', None)
    known = (*_TRANSFORMERS, ResNetEncoder, CLIPResNetEncoder)
    if not isinstance(model, ImageReID) or not isinstance(tower, known):
        raise ExplainError(
            f'{type(model).__name__} with {type(tower).__name__} as image_encoder '
            'can not be explained: expected one of '
            f'{", ".join(cls.__name__ for cls in known)}.'
        )


def trace_patches(
    model: ImageReID, features: Sequence[str], weighed: Sequence[Weighed], kind: str
) -> Tensor:
    """Carry relevance from features back to the patches that a tower was given.

    Args:
        model: A method with a transformer as image tower.
        features: Names of the features that a score was of.
        weighed: The attentions of one forward pass, in order.
        kind: One of ``KINDS``, but ``'random'``.

    Returns:
        ``(B, rows, columns)``, not normalized.

    Raises:
        ExplainError: The way to a feature isn't known.
    """
    tower: Any = model.image_encoder
    own = [w for w in weighed if w.record.part == 'image_encoder']
    sources = {name: _source(model, name) for name in features}
    crossing = [source for source in sources.values() if isinstance(source, str)]
    plain = {n: source for n, source in sources.items() if isinstance(source, int)}
    depth = _depth(tower)
    blocks, branches = own[:depth], own[depth:]
    # A penultimate state is one of the last block's inputs
    early = [place for name, place in plain.items() if name.endswith('_penultimate')]
    ends = not crossing and len(early) < len(plain)
    mixings = [w.mixing(kind) for w in blocks[:-2]]
    if depth > 1:
        mixings.append(blocks[-2].mixing(kind, read=bool(early) and not ends))
    last = blocks[-1].mixing(kind, read=ends)
    batch, queries, length = last.taken.shape
    start = last.taken.new_zeros(batch, queries)
    for name, place in plain.items():
        if not name.endswith('_penultimate') and not name.startswith('part_'):
            start[:, place] = 1
    row = step_back(start, last)
    row[:, early] += 1
    if branches:
        read = torch.tensor(
            [
                'v_parts' in plain or f'part_{i + 1}' in plain
                for i in range(tower.num_parts)
            ]
        )
        row = row + _trace_parts(tower, branches[0].mixing(kind, read=True), read)
    row = carry_back(row, mixings)
    for neck in crossing:
        row = row + _trace_neck(model, neck, weighed, [*mixings, last], kind)
    classes = length - tower.grid[0] * tower.grid[1]
    return row[:, classes:].unflatten(1, tower.grid)


def _depth(tower: Any) -> int:  # noqa: ANN401
    """Return the number of a tower's blocks in a row."""
    if isinstance(tower, TransReIDEncoder):
        return len(tower.vit.blocks)
    return len(tower.visual.transformer.resblocks)


def _source(model: ImageReID, name: str) -> int | str:
    """Return which output of the tower a feature is of, or the neck that crosses."""
    tower, neck = model.image_encoder, dict(model.necks.items()).get(name)
    if isinstance(neck, InteractionNeck):
        return name
    if isinstance(neck, (BNNeck, LinearNeck)):
        return _source(model, model.reads_of_neck(name)[0])
    if isinstance(tower, TransReIDEncoder) and (
        name in ('v', 'v_parts') or name.startswith('part_')
    ):
        return 0
    for place, token in enumerate(getattr(tower, 'class_names', ())):
        if name in {token + state for state in _STATES}:
            return place
    raise ExplainError(
        f"The way from feature '{name}' of {type(model).__name__} back to the patches "
        'is not known: expected a class token, or what PromptSG makes of them.'
    )


def _trace_parts(
    tower: Any,  # noqa: ANN401
    mixing: Mixing,
    read: Tensor,
) -> Tensor:
    """Carry relevance from TransReID's parts back to the last block's inputs.

    Args:
        tower: The tower.
        mixing: Of its parts, ``(B * parts, 1, 1 + N / parts)``.
        read: Whether a part is, ``(parts,)`` bool.

    Returns:
        ``(B, 1 + N)``.
    """
    size = mixing.taken.shape[-1] - 1
    length = 1 + tower.grid[0] * tower.grid[1]
    patches = torch.arange(1, length, device=mixing.taken.device)
    shuffled = shift_and_shuffle(
        patches.reshape(1, -1, 1), tower.shift, tower.shuffle_groups
    ).flatten()[: tower.num_parts * size]
    row = step_back(mixing.taken.new_ones(len(mixing.taken), 1), mixing)
    row = row.unflatten(0, (-1, tower.num_parts)) * read.to(row)[:, None]
    found = row.new_zeros(len(row), length)
    found[:, 0] = row[:, :, 0].sum(dim=1)
    # A patch that was appended once more is there twice: both count
    return found.index_add(1, shuffled, row[:, :, 1:].flatten(1))


def _trace_neck(
    model: ImageReID,
    name: str,
    weighed: Sequence[Weighed],
    tower: Sequence[Mixing],
    kind: str,
) -> Tensor:
    """Carry relevance from PromptSG's interaction back to the tower's inputs.

    The prompt is taken as it is: what it took of the image, where it was composed of
    one, moves gradients alone.
    """
    neck = model.necks[name]
    own = [w for w in weighed if w.record.part == f'necks.{name}']
    crosses = neck.variant in _CROSSING
    inner = own[1:] if crosses else own
    mixings = [w.mixing(kind, read=not crosses and w is inner[-1]) for w in inner]
    tokens = tower[-1].taken
    row = carry_back(tokens.new_ones(len(tokens), 1), mixings)
    if not crosses:
        if not mixings:  # the class token itself is read
            row = step_back(row, Mixing(torch.zeros_like(tokens[:, :1])))
        return carry_back(row, tower)
    met = own[0].mixing(kind, read=True, residual=False)
    at_tokens = row[:, :1] * met.taken[:, 0]
    if neck.variant == 'attend':
        at_tokens = at_tokens + (row[:, 1:] if mixings else 0)
    through = carry_back_normalized if kind == 'gradient' else carry_back
    return through(at_tokens, tower)


def trace_words(eot: Tensor, weighed: Sequence[Weighed], kind: str) -> Tensor:
    """Carry relevance from captions' ends back to their tokens.

    Args:
        eot: The place of each end, ``(B,)`` int64.
        weighed: The attentions of one forward pass, in order.
        kind: One of ``KINDS``, but ``'random'``.

    Returns:
        ``(B, L)``, not normalized.
    """
    own = [w for w in weighed if w.record.part == 'text_encoder']
    row = step_back(
        torch.ones_like(eot[:, None], dtype=own[-1].record.probs.dtype),
        own[-1].mixing(kind, read=True),
        places=eot[:, None],
    )
    return carry_back(row, [w.mixing(kind) for w in own[:-1]])

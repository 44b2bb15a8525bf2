"""Text towers of methods: whether one fits its place, and how wide it will be."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from hplreid.registry import BACKBONES

from ..part import PartError, build_part, find_part


@dataclass(frozen=True)
class TextSizes:
    """Widths of a text tower.

    Attributes:
        joint: Of its features, in the space that it shares with an image tower.
        width: Of its tokens before the projection, and of its token embeddings.
    """

    joint: int
    width: int


def same_weights(image_encoder: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a text tower shares with the image tower it was trained with.

    That is nothing where the image tower is none of a CLIP's.

    Example:
        >>> same_weights(dict(type='CLIPImageEncoder', arch='ViT-B-16', stride=12))
        {'arch': 'ViT-B-16'}
        >>> same_weights(dict(type='ResNetEncoder', arch='resnet18'))
        {}
    """
    cls = find_part(BACKBONES, image_encoder, 'image_encoder')
    if not getattr(cls, 'has_clip_arch', False):
        return {}
    return {k: image_encoder[k] for k in ('arch', 'pretrained') if k in image_encoder}


def check_tower(config: Mapping[str, Any], place: str, encodes: str) -> None:
    """Check that a tower is of the kind that a place is for.

    Args:
        config: Its config.
        place: The place, ``'text_encoder'`` say.
        encodes: What it is given there: ``'images'``, ``'captions'`` or ``'prompts'``.

    Raises:
        PartError: It encodes something else.

    Example:
        >>> check_tower(dict(type='CLIPTextEncoder'), 'text_encoder', 'captions')
        >>> check_tower(dict(type='CLIPTextEncoder'), 'image_encoder', 'images')
        Traceback (most recent call last):
        ...
        hplreid.models.part.PartError: image_encoder: CLIPTextEncoder encodes ...
    """
    cls = find_part(BACKBONES, config, place)
    # Towers of other code bases don't say; they are taken for image towers
    found = getattr(cls, 'encodes', 'images')
    if found == encodes:
        return
    names = sorted(
        name
        for name, known in BACKBONES.module_dict.items()
        if getattr(known, 'encodes', None) == encodes
    )
    raise PartError(
        f'{place}: {cls.__name__} encodes {found}; expected a tower that encodes '
        f'{encodes}: {", ".join(names)}.'
    )


def measure_text_tower(
    config: Mapping[str, Any], place: str, encodes: str
) -> TextSizes:
    """Return the widths of a text tower that isn't built yet.

    A tower without values is built for it, on the meta device. (The order in which the
    parts of a method are built is the order of their random numbers, and stays.)

    Args:
        config: Its config, with all that the method adds.
        place: See :func:`check_tower`.
        encodes: See :func:`check_tower`.

    Raises:
        PartError: The tower can't be built, or is no text tower.

    Example:
        >>> config = dict(type='CLIPTextEncoder', arch='ViT-B-16')
        >>> measure_text_tower(config, 'text_encoder', 'captions')
        TextSizes(joint=512, width=512)
    """
    check_tower(config, place, encodes)
    blank = {k: None if k == 'pretrained' else v for k, v in config.items()}
    cls = find_part(BACKBONES, config, place)
    if 'arch' in inspect.signature(cls).parameters and 'arch' not in blank:
        raise PartError(
            f"{place}: no `arch`, and no CLIP's image tower to share it with: give "
            "the open_clip name of one, 'ViT-B-16-quickgelu' say."
        )
    with torch.random.fork_rng(devices=[]), torch.device('meta'):
        tower: Any = build_part(BACKBONES, blank, place)
    return TextSizes(tower.embed_dim, tower.width)

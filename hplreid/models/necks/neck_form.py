"""The form of what a neck makes, whoever wrote it."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from hplreid.structures.feature_form import (
    MAP,
    TOKENS,
    VECTOR,
    FeatureForm,
    common_rows,
)

from ..part import PartError
from .base_neck import BaseNeck

_KINDS = {2: VECTOR, 3: TOKENS, 4: MAP}
_BLANK_SIZES: dict[str, tuple[int, ...]] = {VECTOR: (), TOKENS: (5,), MAP: (4, 2)}


def check_neck(
    cls: Any,  # noqa: ANN401
    place: str,
    reads: Sequence[str],
    forms: Mapping[str, FeatureForm],
) -> None:
    """Check that a class of necks takes certain features; others pass.

    Args:
        cls: The class.
        place: Where it is to stand, for messages.
        reads: The names of what it will be given.
        forms: The forms of at least those.

    Raises:
        PartError: It doesn't take them.
    """
    if isinstance(cls, type) and issubclass(cls, BaseNeck):
        for problem in cls.find_form_problems(reads, forms):
            raise PartError(f'{place}: {cls.__name__} {problem}')


def form_of_neck(
    neck: nn.Module, place: str, reads: Sequence[str], forms: Mapping[str, FeatureForm]
) -> FeatureForm:
    """Return the form of what a neck makes.

    One of another code base is run on blank features to find it out.

    Args:
        neck: The neck.
        place: Where it stands, for messages.
        reads: The names of what it is given.
        forms: The forms of at least those.

    Raises:
        PartError: A neck of another code base fails on blank features.
    """
    rows = common_rows(reads, forms)
    if isinstance(neck, BaseNeck):
        return neck.form_of(forms[reads[0]], rows)
    blanks = [_blank(read, forms[read], place) for read in reads]
    training = neck.training
    neck.eval()
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            made = neck(*blanks)
    except Exception as error:
        listed = ', '.join(f"'{read}', {forms[read]}" for read in reads)
        raise PartError(
            f'{place}: {type(neck).__name__} fails on {listed}: '
            f'{type(error).__name__}: {error}'
        ) from error
    finally:
        neck.train(training)
    if not isinstance(made, Tensor) or made.dim() not in _KINDS:
        raise PartError(
            f'{place}: {type(neck).__name__} makes a {type(made).__name__} of '
            'blank features; expected a tensor (B, C), (B, N, C) or (B, C, H, W).'
        )
    kind = _KINDS[made.dim()]
    return FeatureForm(kind, made.shape[1 if kind == MAP else -1], rows)


def _blank(name: str, form: FeatureForm, place: str) -> Tensor:
    """Return two rows of zeros of a form."""
    if form.kind not in _BLANK_SIZES or form.width is None:
        raise PartError(
            f"{place}: '{name}', {form}, is for necks of this code base alone."
        )
    size = _BLANK_SIZES[form.kind]
    if form.kind == MAP:
        return torch.zeros(2, form.width, *size)
    return torch.zeros(2, *size, form.width)

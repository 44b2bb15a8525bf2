"""How the weights of a file fit a model: what is loaded, missing, resized, left out."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from .checkpoint import CheckpointError
from .indexed_weights import indexed_weights
from .names import name_as_in
from .recorded_model import recorded_model, with_defaults


@runtime_checkable
class Resizing(Protocol):
    """A tower whose positions can be taken from one of another image size."""

    def resize_positions(
        self, state: dict[str, Tensor], trained: Mapping[str, Any]
    ) -> list[str]:
        """Interpolate positions to this tower's grid, in place.

        Args:
            state: Weights of a file by the names of this tower.
            trained: The arguments of the tower that they are of; empty if unknown.

        Returns:
            A line about each weight that was changed.
        """


@dataclass
class Fit:
    """How the weights of a file fit a model; names are those of the model."""

    weights: dict[str, Tensor]
    """What can be loaded."""
    missing: list[str] = field(default_factory=list)
    """Weights of the model that the file doesn't have."""
    wrong: list[str] = field(default_factory=list)
    """Weights of another shape or type, or not finite, and why."""
    unexpected: list[str] = field(default_factory=list)
    """Weights of the file that the model lacks, in a part that the model has."""
    other_parts: list[str] = field(default_factory=list)
    """Weights of the file in parts that the model doesn't have at all."""
    resized: list[str] = field(default_factory=list)
    """A line about each weight that was interpolated."""
    converted: list[str] = field(default_factory=list)
    """Weights in another precision than the model's."""
    others_rows: dict[str, str] = field(default_factory=dict)
    """Weights with rows of other identities or cameras, by what the rows stand for."""

    def problems(self) -> str:
        """Return a line about each kind of problem, '' if the file fits."""
        return (
            listing('missing', self.missing)
            + listing('that can not be taken', self.wrong)
            + listing('unknown to the model', self.unexpected)
        )

    def remarks(self) -> list[str]:
        """Return a line about each thing that was done to make the file fit."""
        lines = list(self.resized)
        if self.converted:
            lines.append(f'{len(self.converted)} converted from another precision')
        if self.others_rows:
            kinds = ' and '.join(dict.fromkeys(self.others_rows.values()))
            lines.append(
                f'left out, since each row is of one {kinds} of another training set: '
                f'{", ".join(self.others_rows)}'
            )
        return lines


def state_of(checkpoint: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return the tensors of a checkpoint, or of a bare state dict, by name."""
    state = checkpoint.get('state_dict', checkpoint)
    return {k: v for k, v in state.items() if isinstance(k, str) and torch.is_tensor(v)}


def fit_weights(
    model: nn.Module,
    checkpoint: Mapping[str, Any],
    source: str,
    same_people: bool = True,
) -> Fit:
    """Compare the weights of a checkpoint with those of a model.

    Args:
        model: The model, not wrapped by more than ``torch.compile``. It isn't changed.
        checkpoint: What :func:`.read_checkpoint` returned.
        source: Its file, for messages.
        same_people: Whether the model is for the training set of the checkpoint. If
            not, weights with a row for each of its identities or cameras are left out.

    Raises:
        CheckpointError: Two of its weights have one name, or positions can't be
            interpolated.
    """
    own = model.state_dict()
    try:
        state = name_as_in(state_of(checkpoint), own)
        resized = _resize(model, state, recorded_model(checkpoint.get('meta') or {}))
    except ValueError as error:
        raise CheckpointError(f"'{source}' can't be loaded: {error}") from error
    others_rows = {} if same_people else indexed_weights(model)
    parts = {part_of(name) for name in own}
    fit = Fit({}, resized=resized, others_rows=others_rows)
    for name, value in own.items():
        if name in others_rows:
            continue
        if name not in state:
            fit.missing.append(name)
            continue
        reason = _find_fault(state[name], value)
        if reason:
            fit.wrong.append(f'{name} {reason}')
            continue
        fit.weights[name] = state[name]
        if state[name].dtype != value.dtype:
            fit.converted.append(name)
    for name in state:
        if name not in own:
            known = part_of(name) in parts
            (fit.unexpected if known else fit.other_parts).append(name)
    return fit


def _resize(
    model: nn.Module, state: dict[str, Tensor], trained: Mapping[str, Any] | None
) -> list[str]:
    """Interpolate the positions of all towers, in place; return a line about each."""
    lines = []
    for place, module in model.named_modules():
        if not isinstance(module, Resizing):
            continue
        prefix = f'{place}.' if place else ''
        config: Any = trained or {}
        for key in place.split('.') if place else ():
            config = config.get(key) if isinstance(config, Mapping) else None
        config = with_defaults(config) if isinstance(config, Mapping) else {}
        part = {k[len(prefix) :]: v for k, v in state.items() if k.startswith(prefix)}
        changes = module.resize_positions(part, config)
        state.update({f'{prefix}{k}': v for k, v in part.items()})
        lines += [f'{place}: {change}' if place else change for change in changes]
    return lines


def _find_fault(value: Tensor, own: Tensor) -> str:
    """Return why a tensor can't stand for another, '' if it can."""
    if value.shape != own.shape:
        return f'of shape {tuple(value.shape)} instead of {tuple(own.shape)}'
    if _kind(value) != _kind(own):
        return f'of type {_name(value)} instead of {_name(own)}'
    # Minus infinity is what an attention mask may have
    if value.isnan().any() or (value.isinf().any() and not own.isinf().any()):
        return 'has values that are not finite'
    return ''


def _kind(value: Tensor) -> tuple[bool, bool, bool]:
    """Return what must be the same of two types: floats, complex numbers, flags."""
    return value.is_floating_point(), value.is_complex(), value.dtype == torch.bool


def _name(value: Tensor) -> str:
    return str(value.dtype).removeprefix('torch.')


def part_of(key: str) -> str:
    """Return the name of the part that a weight belongs to; each neck is one part."""
    names = key.split('.')
    return '.'.join(names[:2] if names[0] == 'necks' else names[:1])


def count_parts(keys: Iterable[str]) -> str:
    """List the parts that weights belong to, with the number of tensors in each."""
    counts = Counter(map(part_of, keys))
    return ', '.join(f'{part} ({n})' for part, n in counts.items())


def listing(what: str, names: list[str], limit: int = 8) -> str:
    """Return a line with the number of names and the first ones, '' without names."""
    if not names:
        return ''
    more = f' and {len(names) - limit} more' if len(names) > limit else ''
    return f'\n  {len(names)} {what}: {", ".join(names[:limit])}{more}'

"""Load the weights of a checkpoint into a model for inference."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from torch import Tensor, nn

from .checkpoint import CheckpointError, read_checkpoint


def load_inference_weights(model: nn.Module, path: str | Path) -> str:
    """Load all weights of a model for inference from a checkpoint.

    The checkpoint may have further parts, such as heads and prompt learners, which only
    training needs. In the parts that the model has, all weights must match.

    Args:
        model: The model, not wrapped.
        path: A checkpoint of hplreid.

    Returns:
        A line for the log: how many tensors were loaded, and which parts were ignored.

    Raises:
        CheckpointError: The file can't be read safely; or, in a part of the model,
            weights are missing, have another shape, or are unknown to the model.

    Example:
        >>> model = nn.ModuleDict(dict(image_encoder=nn.Linear(2, 2)))
        >>> trained = nn.ModuleDict(dict(**model, heads=nn.Linear(2, 5)))
        >>> import torch
        >>> torch.save(trained.state_dict(), 'trained.pth')
        >>> load_inference_weights(model, 'trained.pth')
        'trained.pth: loaded all 2 tensors of ModuleDict; left out heads (2), which ...'
    """
    checkpoint = read_checkpoint(path)
    state = checkpoint.get('state_dict', checkpoint)
    state = {k.removeprefix('module.'): v for k, v in state.items()}
    own = model.state_dict()
    parts = {_part_of(name) for name in own}
    missing = [k for k in own if k not in state]
    other_shape = [
        f'{k} {tuple(state[k].shape)} instead of {tuple(own[k].shape)}'
        for k in own
        if k in state and state[k].shape != own[k].shape
    ]
    unknown = [k for k in state if k not in own]
    unexpected = [k for k in unknown if _part_of(k) in parts]
    if missing or other_shape or unexpected:
        raise CheckpointError(
            f"'{path}' doesn't fit {type(model).__name__}. It seems to be "
            f'{_guess_origin(checkpoint, state)}.'
            f'{_listing("missing", missing)}{_listing("of another shape", other_shape)}'
            f'{_listing("unknown to the model", unexpected)}'
        )
    model.load_state_dict({k: state[k] for k in own})
    left_out = _count_parts(unknown)
    return f'{path}: loaded all {len(own)} tensors of {type(model).__name__}; ' + (
        f'left out {left_out}, which only training needs' if left_out else 'no others'
    )


def _part_of(key: str) -> str:
    """Return the name of the part that a weight belongs to; each neck is one part."""
    names = key.split('.')
    return '.'.join(names[:2] if names[0] == 'necks' else names[:1])


def _guess_origin(checkpoint: dict, state: dict[str, Tensor]) -> str:
    """Describe what a file seems to be, for the error message."""
    stage = checkpoint.get('stage')
    if isinstance(stage, dict):
        epoch = checkpoint.get('meta', {}).get('epoch')
        experiment = checkpoint.get('meta', {}).get('experiment_name')
        return (
            f"a checkpoint of the training '{experiment}', epoch {epoch}, stage "
            f"'{stage.get('name')}', with the parts {_count_parts(state)}"
        )
    if any(k.startswith(('visual.', 'model.visual.')) for k in state):
        return (
            'weights of a CLIP, not of a trained method: those belong in '
            'model.image_encoder.pretrained'
        )
    if not any(isinstance(v, Tensor) for v in state.values()):
        return f'no weights at all; its keys are {list(map(str, state))[:8]}'
    return f'weights of something else, with the parts {_count_parts(state)}'


def _count_parts(keys: Iterable[str]) -> str:
    """List the parts that weights belong to, with the number of tensors in each."""
    counts = Counter(map(_part_of, keys))
    return ', '.join(f'{part} ({n})' for part, n in counts.items())


def _listing(what: str, names: list[str], limit: int = 8) -> str:
    """Return a line with the number of names and the first ones, '' without names."""
    if not names:
        return ''
    more = f' and {len(names) - limit} more' if len(names) > limit else ''
    return f'\n  {len(names)} {what}: {", ".join(names[:limit])}{more}'

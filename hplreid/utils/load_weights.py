"""A checkpoint's weights into a model for inference, with a word on what was done."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from torch import Tensor, nn

from .checkpoint import CheckpointError, read_checkpoint


def load_inference_weights(model: nn.Module, path: str | Path) -> str:
    """Load into ``model`` all that it has; leave out what only training needs.

    Heads, prompt learners and the like, of which a model built for inference has none,
    may be in the file. Of a part that the model does have, all must fit.

    Args:
        model: The model, not wrapped.
        path: A checkpoint of this code base.

    Returns:
        One line: how many tensors were loaded, and which parts were left out.

    Raises:
        CheckpointError: The file can't be read safely, weights are missing or of
            another shape, or the file has weights that the model's parts don't know.
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
    strange = [k for k in unknown if _part_of(k) in parts]
    if missing or other_shape or strange:
        raise CheckpointError(
            f"'{path}' doesn't fit {type(model).__name__}. It seems to be "
            f'{_guess_origin(checkpoint, state)}.'
            f'{_listing("missing", missing)}{_listing("of another shape", other_shape)}'
            f'{_listing("unknown to the model", strange)}'
        )
    model.load_state_dict({k: state[k] for k in own})
    left_out = _count_parts(unknown)
    return f'{path}: loaded all {len(own)} tensors of {type(model).__name__}; ' + (
        f'left out {left_out}, which only training needs' if left_out else 'no others'
    )


def _part_of(key: str) -> str:
    """Return the name of the part that a tensor belongs to; each neck is one."""
    names = key.split('.')
    return '.'.join(names[:2] if names[0] == 'necks' else names[:1])


def _guess_origin(checkpoint: dict, state: dict[str, Tensor]) -> str:
    """Say what a file seems to be, for somebody who took the wrong one."""
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
    counts = Counter(map(_part_of, keys))
    return ', '.join(f'{part} ({n})' for part, n in counts.items())


def _listing(what: str, names: list[str], limit: int = 8) -> str:
    if not names:
        return ''
    more = f' and {len(names) - limit} more' if len(names) > limit else ''
    return f'\n  {len(names)} {what}: {", ".join(names[:limit])}{more}'

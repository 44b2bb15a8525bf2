"""Load the weights of a checkpoint into a model, for a test or for a training."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from .checkpoint import CheckpointError, read_checkpoint
from .fit import count_parts, fit_weights, listing, state_of
from .indexed_weights import indexed_weights
from .recorded_model import (
    describe_model,
    is_same_model,
    recorded_model,
    setting_differences,
)

_PARTIAL = (
    "To train from what fits alone, set load_from=dict(checkpoint='...', partial=True)."
)


def load_inference_weights(
    model: nn.Module,
    path: str | Path,
    config: Mapping[str, Any] | None = None,
    allow_missing: bool = False,
) -> str:
    """Load all weights of a model for inference from a checkpoint.

    The checkpoint may have further parts, such as heads and prompt learners, which only
    training needs. In the parts that the model has, all weights must match; positions
    that were learned at another image size are interpolated.

    Args:
        model: The model, not wrapped.
        path: A checkpoint of hplreid.
        config: The model's config, which is compared with the one in the checkpoint.
        allow_missing: Whether weights that the checkpoint lacks stay random.

    Returns:
        A line for the log: how many tensors were loaded, and which parts were ignored;
        and lines on what else was done.

    Raises:
        CheckpointError: The file can't be read safely; or is of another method or
            architecture; or, in a part of the model, weights are missing, have another
            shape or type, aren't finite, or are unknown to the model.

    Example:
        >>> model = nn.ModuleDict(dict(image_encoder=nn.Linear(2, 2)))
        >>> trained = nn.ModuleDict(dict(**model, heads=nn.Linear(2, 5)))
        >>> import torch
        >>> torch.save(trained.state_dict(), 'trained.pth')
        >>> load_inference_weights(model, 'trained.pth')
        'trained.pth: loaded all 2 tensors of ModuleDict; left out heads (2), which ...'
    """
    checkpoint = read_checkpoint(path)
    check_model(checkpoint, config, path)
    fit = fit_weights(model, checkpoint, str(path))
    missing = fit.missing if allow_missing else []
    fit.missing = [] if allow_missing else fit.missing
    if fit.problems():
        raise CheckpointError(
            f'{_does_not_fit(path, model, checkpoint)}{fit.problems()}'
        )
    load_exactly(model, fit.weights)
    taken, parts = len(fit.weights), count_parts(fit.other_parts)
    count = f'{taken} of {taken + len(missing)}' if missing else f'all {taken}'
    trained_on = (checkpoint.get('meta') or {}).get('dataset_meta') or {}
    cameras = [
        f'{name} has a row for each {index} of {trained_on.get("dataset_name")}'
        for name, index in indexed_weights(model).items()
    ]
    left_out = f'left out {parts}, which only training needs' if parts else 'no others'
    return (
        f'{path}: loaded {count} tensors of {type(model).__name__}; {left_out}'
        + ''.join(f'\n  {line}' for line in (*fit.remarks(), *cameras))
        + listing('differ in the config', _differences(checkpoint, config))
        + listing('MISSING and random, so that scores mean little', missing)
    )


def fit_for_training(
    model: nn.Module,
    checkpoint: Mapping[str, Any],
    path: str | Path,
    config: Mapping[str, Any] | None = None,
    same_people: bool = False,
    partial: bool = False,
) -> tuple[dict[str, Tensor], str]:
    """Return a model's weights with which to begin a training from a checkpoint.

    Args:
        model: The model, not wrapped. It isn't changed.
        checkpoint: What :func:`.read_checkpoint` returned.
        path: Its file, for messages.
        config: The model's config, which is compared with the one in the checkpoint.
        same_people: Whether the training set is that of the checkpoint. If not, what
            has a row for each identity or camera stays as it was initialized.
        partial: Whether what doesn't fit stays as it was initialized, too.

    Returns:
        All weights of the model, and lines for the log: how many tensors were taken,
        left as they were, and resized.

    Raises:
        CheckpointError: Not ``partial``, and the checkpoint is of another method or
            architecture or a weight doesn't fit, see :func:`load_inference_weights`;
            or no weight fits at all.
    """
    if not partial:
        check_model(checkpoint, config, path, _PARTIAL)
    fit = fit_weights(model, checkpoint, str(path), same_people)
    taken = len(fit.weights)
    if (fit.problems() and not partial) or not taken:
        advice = '' if partial else f'\n{_PARTIAL}'
        raise CheckpointError(
            f'{_does_not_fit(path, model, checkpoint)}{fit.problems()}{advice}'
        )
    own = model.state_dict()
    report = [
        f'{path}: took {taken} of {len(own)} tensors of {type(model).__name__}',
        *fit.remarks(),
    ]
    if fit.missing:
        report.append('not in the file, so as initialized: ' + count_parts(fit.missing))
    if fit.wrong:
        report.append(f'as initialized: {"; ".join(fit.wrong)}')
    extra = [*fit.unexpected, *fit.other_parts]
    if extra:
        report.append(f'not taken from the file: {count_parts(extra)}')
    text = '\n  '.join(report)
    differences = listing('differ in the config', _differences(checkpoint, config))
    return {**own, **fit.weights}, text + differences


def complete_weights(
    model: nn.Module, checkpoint: Mapping[str, Any], path: str | Path
) -> dict[str, Tensor]:
    """Return the weights of a checkpoint for a model that goes on training.

    Raises:
        CheckpointError: They aren't exactly the model's.
    """
    fit = fit_weights(model, checkpoint, str(path))
    fit.unexpected += fit.other_parts
    if fit.problems() or fit.resized:
        raise CheckpointError(
            f'{_does_not_fit(path, model, checkpoint)}{fit.problems()}'
            + ''.join(f'\n  {line}' for line in fit.resized)
        )
    return fit.weights


def load_exactly(model: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Load weights that :func:`.fit_weights` has found to fit; others stay."""
    model.load_state_dict({**model.state_dict(), **weights})


def check_model(
    checkpoint: Mapping[str, Any],
    config: Mapping[str, Any] | None,
    path: str | Path,
    advice: str = 'Use a config of that method, or another checkpoint.',
) -> None:
    """Check that a checkpoint is of the method and the towers of a config.

    Nothing is known of a file without a config in it.

    Args:
        checkpoint: What :func:`.read_checkpoint` returned.
        config: The config of the model; None to check nothing.
        path: The file, for the message.
        advice: What to do about another one.

    Raises:
        CheckpointError: It is of another one. Where names of weights agree by chance,
            the model would compute something else with them.
    """
    trained = recorded_model(checkpoint.get('meta') or {})
    if trained and config and not is_same_model(trained, config):
        raise CheckpointError(
            f"'{path}' is of another model.\n  the file: {describe_model(trained)}\n"
            f'  the config: {describe_model(config)}\n{advice}'
        )


def _differences(
    checkpoint: Mapping[str, Any], config: Mapping[str, Any] | None
) -> list[str]:
    trained = recorded_model(checkpoint.get('meta') or {})
    return setting_differences(trained, config) if trained and config else []


def _does_not_fit(
    path: str | Path, model: nn.Module, checkpoint: Mapping[str, Any]
) -> str:
    return (
        f"'{path}' doesn't fit {type(model).__name__}. It seems to be "
        f'{_guess_origin(checkpoint, state_of(checkpoint))}.'
    )


def _guess_origin(checkpoint: Mapping[str, Any], state: Mapping[str, Tensor]) -> str:
    """Describe what a file seems to be, for the error message."""
    stage = checkpoint.get('stage')
    meta = checkpoint.get('meta') or {}
    if isinstance(stage, dict):
        trained = recorded_model(meta)
        of = f' of {describe_model(trained)}' if trained else ''
        return (
            f"a checkpoint of the training '{meta.get('experiment_name')}'{of}, epoch "
            f"{meta.get('epoch')}, stage '{stage.get('name')}', with the parts "
            f'{count_parts(state)}'
        )
    if any(k.startswith(('visual.', 'model.visual.')) for k in state):
        return (
            'weights of a CLIP, not of a trained method: those belong in '
            'model.image_encoder.pretrained'
        )
    if not state:
        inner: Any = checkpoint.get('state_dict', checkpoint)
        return f'no weights at all; its keys are {list(map(str, inner))[:8]}'
    return f'weights of something else, with the parts {count_parts(state)}'

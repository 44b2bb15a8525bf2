"""Publishing: a file with what a model needs at test, and with what is known of it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from hplreid.engine.config import inference_config
from hplreid.engine.results.fingerprints import hash_file, hash_weights
from hplreid.evaluation.files import read_scores
from hplreid.utils.checkpoints.checkpoint import (
    CheckpointError,
    read_checkpoint,
    to_plain,
)
from hplreid.utils.checkpoints.fit import count_parts, state_of
from hplreid.utils.checkpoints.load_weights import load_inference_weights
from hplreid.utils.checkpoints.names import strip_wrappers
from hplreid.utils.checkpoints.recorded_model import recorded_config
from hplreid.utils.checkpoints.weights_file import write_weights

from .preprocessing import describe_preprocessing, without_cache
from .trained_model import build_inference_model, check_names

# What of a config inference reads; where data lie is a matter of the machine
_KEPT = ('default_scope', 'model', 'data_preprocessor', 'test_cfg', 'test_evaluator')
_OF_LOADERS = ('batch_size', 'collate_fn', 'dataset')
_OF_META = ('seed', 'epoch', 'iter', 'experiment_name', 'selection', 'identities')


def publish_model(
    checkpoint: str | Path,
    out: str | Path,
    metrics: str | Path | None = None,
    note: str = '',
) -> str:
    """Write the weights that a model needs at test, and what is known of it.

    The file is a safetensors. It serves as ``model`` of :class:`.ReIDInferencer`, as
    checkpoint of ``tools/test.py``, and as ``pretrained`` of a tower; scores are those
    of the checkpoint, for no weight is rounded.

    Its metadata have the resolved inference config (``cfg``), ``preprocessing``,
    ``num_ids``, ``metrics`` with where they come from, ``weights_sha256`` of the
    weights and ``sha256`` of the checkpoint, ``note``, and what the checkpoint says of
    its training. A SHA-256 of all of it is compared whenever it's read.

    Args:
        checkpoint: A checkpoint, or ``final.safetensors`` of a work folder.
        out: The file, ``*.safetensors``.
        metrics: A ``metrics.json`` with the scores of these weights. Defaults to the
            one beside the checkpoint if it is of these weights.
        note: A note on how it was made.

    Returns:
        Lines about what it has, and what was left out.

    Raises:
        CheckpointError: The checkpoint can't be read, has no config, or doesn't fit it;
            or ``metrics`` are of other weights.
        FileNotFoundError: The checkpoint, or ``metrics``, doesn't exist.

    Example:
        >>> publish_model('epoch_60.pth', 'hpl.safetensors')
        Traceback (most recent call last):
        ...
        hplreid...MissingCheckpointError: Checkpoint 'epoch_60.pth' does not exist.
    """
    content = read_checkpoint(checkpoint)
    meta = content.get('meta') or {}
    whole = recorded_config(meta)
    if not whole or not isinstance(whole.get('model'), dict):
        raise CheckpointError(
            f"'{checkpoint}' has no config in it: publish a checkpoint that "
            'tools/train.py wrote, or final.safetensors.'
        )
    check_names(whole['model'], str(checkpoint))
    config = inference_config(Config(whole))
    model = build_inference_model(config)
    load_inference_weights(model, checkpoint, config.model)
    weights = model.state_dict()
    hashed = hash_weights(model)
    published = inference_part(config)
    found = _find_metrics(Path(checkpoint), hashed, metrics)
    known = to_plain(meta.get('dataset_meta') or {})
    record = {
        **{key: to_plain(meta[key]) for key in _OF_META if key in meta},
        'cfg': published.pretty_text,
        'dataset_meta': {k: v for k, v in known.items() if k != 'label_of'},
        'preprocessing': describe_preprocessing(published),
        'num_ids': whole['model'].get('num_ids') or known.get('num_ids'),
        'metrics': found,
        'weights_sha256': hashed,
        'checkpoint_sha256': meta.get('checkpoint_sha256')
        or hash_file(Path(checkpoint).expanduser()),
        'hplreid_version': meta.get('hplreid_version'),
        'note': note or meta.get('note', ''),
    }
    json.dumps(record)  # what isn't plain should fail before anything is written
    write_weights(out, weights, record)
    kept = [strip_wrappers(name) for name in weights]
    left = [n for n in map(strip_wrappers, state_of(content)) if n not in {*kept}]
    size = Path(out).stat().st_size / 1e6
    scores = f'{len(found)} scores' if found else 'no scores (see --metrics)'
    return (
        f'{out}: {size:.2f} MB, {count_parts(kept)}; {scores}\n'
        f'  left out, which only training needs: {count_parts(left) or "nothing"}\n'
        f'  SHA-256 of the weights: {hashed}'
    )


def list_test_weights(content: Mapping[str, Any]) -> list[str] | None:
    """Return the names of the weights that a checkpoint's model needs at test.

    Args:
        content: What :func:`.read_checkpoint` returned.

    Returns:
        The names; None for a file that doesn't say what it is of.

    Raises:
        CheckpointError: Its config names what is no component.

    Example:
        >>> list_test_weights(dict(state_dict={})) is None
        True
    """
    whole = recorded_config(content.get('meta') or {})
    if not whole or not isinstance(whole.get('model'), dict):
        return None
    check_names(whole['model'], 'the file')
    return [*build_inference_model(inference_config(Config(whole))).state_dict()]


def inference_part(config: Config) -> Config:
    """Return what of an inference config is published, pipelines without a cache."""
    kept = {key: config[key] for key in _KEPT if key in config}
    loaders = config.get('test_dataloader') or {}
    kept['test_dataloader'] = {
        name: {k: v for k, v in loader.items() if k in _OF_LOADERS}
        for name, loader in loaders.items()
    }
    plain = Config(without_cache(Config(kept).to_dict()))
    object.__setattr__(plain, '_format_python_code', False)  # as read_config does
    return plain


def _find_metrics(
    checkpoint: Path, hashed: str, path: str | Path | None
) -> dict[str, float]:
    """Return the scores of these weights: those of a file, or beside the checkpoint."""
    beside = checkpoint.expanduser().parent / 'metrics.json'
    if path is None and not beside.is_file():
        return {}
    scores, provenance = read_scores(path or beside)
    of = ((provenance or {}).get('checkpoint') or {}).get('weights_sha256')
    if of == hashed:
        return scores
    if path is None:
        return {}
    raise CheckpointError(
        f"'{path}' has scores of other weights: SHA-256 {of} instead of {hashed}. Test "
        'this checkpoint with tools/test.py, and give the metrics.json of that.'
    )

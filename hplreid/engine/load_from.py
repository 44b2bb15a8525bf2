"""``load_from`` of a config: which weights a training begins with."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from torch.utils.data import Dataset

from hplreid.utils.checkpoints.checkpoint import CheckpointError

from .identity_map import fingerprint_identities, get_identity_map


@dataclass
class LoadFrom:
    """What ``load_from`` says: a path, or a dict of these fields."""

    checkpoint: str
    """The file."""
    partial: bool = False
    """Whether what doesn't fit the model is left out, instead of being an error."""


def parse_load_from(value: str | Path | Mapping[str, Any]) -> LoadFrom:
    """Return what ``load_from`` of a config says.

    Raises:
        CheckpointError: It is neither a path nor a dict as :class:`LoadFrom` has it.

    Example:
        >>> parse_load_from('epoch_3.pth')
        LoadFrom(checkpoint='epoch_3.pth', partial=False)
        >>> parse_load_from(dict(checkpoint='epoch_3.pth', partial=True)).partial
        True
        >>> parse_load_from(dict(checkpoint='epoch_3.pth', partiel=True))
        Traceback (most recent call last):
        ...
        hplreid...CheckpointError: load_from: unknown key 'partiel': did you mean ...
    """
    problems = _find_problems(value)
    if problems:
        raise CheckpointError('\n'.join(problems))
    return LoadFrom(**value) if isinstance(value, Mapping) else LoadFrom(str(value))


def find_load_from_problems(value: Any) -> list[str]:  # noqa: ANN401
    """Return a message for each reason why ``load_from`` can't be loaded."""
    problems = [] if value is None else _find_problems(value)
    if value is None or problems:
        return problems
    path = parse_load_from(value).checkpoint
    if Path(path).expanduser().is_file():
        return []
    return [f"load_from: checkpoint '{path}' does not exist."]


def _find_problems(value: Any) -> list[str]:  # noqa: ANN401
    known = [f.name for f in fields(LoadFrom)]
    if isinstance(value, str | Path):
        value = dict(checkpoint=str(value))
    if not isinstance(value, Mapping):
        return [
            f'load_from={value!r}: expected the path of a checkpoint, or '
            "dict(checkpoint='...', partial=True)."
        ]
    problems = []
    for key in value:
        if key not in known:
            close = difflib.get_close_matches(str(key), known, n=1) or known
            problems.append(
                f"load_from: unknown key '{key}': did you mean '{close[0]}'?"
            )
    checkpoint = value.get('checkpoint')
    if not isinstance(checkpoint, str) or not checkpoint:
        problems.append(
            f'load_from.checkpoint={checkpoint!r}: expected the path of a file.'
        )
    elif '://' in checkpoint:
        problems.append(
            f"load_from: '{checkpoint}' is an address. Download the file and give its "
            'path: training loads nothing from the network.'
        )
    if not isinstance(value.get('partial', False), bool):
        problems.append(
            f'load_from.partial={value["partial"]!r}: expected True or False.'
        )
    return problems


def is_same_training_set(meta: Mapping[str, Any], dataset: Dataset) -> bool:
    """Return whether a checkpoint was trained on the identities of a dataset.

    Its name and the label of every identity must be the same, and their images, see
    :func:`.fingerprint_identities`, where the checkpoint says them. A training set
    without labels is never the same.

    Args:
        meta: Of the checkpoint.
        dataset: The training set.
    """
    trained = meta.get('dataset_meta') or {}
    current = getattr(dataset, 'metainfo', None) or {}
    labels = get_identity_map(dataset)
    same_labels = (
        labels is not None
        and trained.get('label_of') == labels
        and trained.get('dataset_name') == current.get('dataset_name')
    )
    images = meta.get('identities')
    return same_labels and images in (None, fingerprint_identities(dataset))

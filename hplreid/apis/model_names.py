"""The names of all models, from the metafiles that come with the package."""

import fnmatch
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import yaml

from hplreid.utils.argument_checks import check_one_of
from hplreid.utils.user_error import UserError

TASK_NAMES = {'i2i': 'Image-to-Image Retrieval', 't2i': 'Text-to-Image Retrieval'}
"""The tasks, and what metafiles call them."""
_PACKAGE = Path(__file__).resolve().parents[1]


class NamedModel(NamedTuple):
    """What a metafile says of a model.

    Attributes:
        config: Its config file.
        weights: File of its weights; None where the project publishes none.
        tasks: ``'i2i'``, ``'t2i'`` or both.
    """

    config: Path
    weights: str | None
    tasks: frozenset[str]


class ModelNameError(UserError, KeyError):
    """There are no metafiles, or no model has a name."""

    def __str__(self) -> str:
        return str(self.args[0])  # KeyError would quote it


def list_models(pattern: str = '*', task: str | None = None) -> list[str]:
    """Return the names of the models that come with a config, sorted.

    Args:
        pattern: With ``*`` and ``?``.
        task: ``'i2i'`` or ``'t2i'`` for those that can do it; None for all.

    Raises:
        ValueError: ``task`` is neither.
        ModelNameError: The metafiles aren't there.

    Example:
        >>> list_models('hpl_tiny_synthpeds*', task='t2i')[0]
        'hpl_tiny_synthpeds'
        >>> list_models('bot_*', task='t2i')
        []
    """
    if task is not None:
        check_one_of('task', task, tuple(TASK_NAMES))
    return sorted(
        name
        for name, model in read_metafiles().items()
        if fnmatch.fnmatchcase(name, pattern) and (task is None or task in model.tasks)
    )


@lru_cache
def read_metafiles() -> dict[str, NamedModel]:
    """Read what the metafiles say of each model, by name.

    Raises:
        ModelNameError: They aren't there.
    """
    # In a checkout beside the package, in a wheel inside it
    roots = (_PACKAGE.parent, _PACKAGE / '.mim')
    root = next((r for r in roots if (r / 'model-index.yml').is_file()), None)
    if root is None:
        raise ModelNameError(
            f'There is no model-index.yml in {" or ".join(map(str, roots))}: install '
            'the package anew, or give a config file instead of a name.'
        )
    models = {}
    for name in _read(root / 'model-index.yml')['Import']:
        content = _read(root / name)
        tasks = {c['Name']: _tasks_of(c) for c in content['Collections']}
        for model in content['Models']:
            models[model['Name']] = NamedModel(
                root / model['Config'],
                model.get('Weights'),
                _tasks_of(model) or tasks[model['In Collection']],
            )
    return models


def _read(path: Path) -> dict:
    return yaml.safe_load(path.read_text('utf-8'))


def _tasks_of(entry: dict) -> frozenset[str]:
    """Return the tasks of a collection, or those of a model that differ from it."""
    named = entry['Metadata'].get('Tasks', ())
    return frozenset(task for task, name in TASK_NAMES.items() if name in named)

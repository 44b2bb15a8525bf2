"""Pipelines that a config refers to by name, and transforms inserted into them.

MMEngine replaces a list as a whole and refuses two bases that set the same key. So a
recipe (``configs/_base_/methods``) could not say "the benchmark's training pipeline and
one more transform" or "the benchmark's plain pipeline": the benchmark is another base.
Two rules, applied once when a config is read, close that gap:

* Where a ``pipeline`` is a string, it is the name of a list at the top of the config
  whose name ends in ``pipeline``: ``pipeline='train_pipeline'``.
* Each entry of ``insert_transforms`` at the top of a config puts a transform before or
  after the one that it names, in every place that refers to that pipeline by name::

      insert_transforms = [
          dict(
              pipeline='train_pipeline',
              before='PackReIDInputs',
              transform=dict(type='MaskCaption', prob=0.15),
          )
      ]

A config that has been read holds lists alone, and no ``insert_transforms``. What is
dumped is what runs, and reading it again changes nothing.
"""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from mmengine.config import Config

INSERTIONS = 'insert_transforms'

Pipelines = dict[str, list[Any]]
"""The lists of transforms at the top of a config, by name."""


def resolve_pipelines(config: Config) -> None:
    """Insert transforms into named pipelines, and replace their names by the lists.

    Args:
        config: The config, changed in place.

    Raises:
        ValueError: A name is that of no pipeline, or an insertion has no place.

    Example:
        >>> from mmengine.config import Config
        >>> pack = dict(type='PackReIDInputs')
        >>> flip = dict(pipeline='my_pipeline', before='PackReIDInputs',
        ...             transform=dict(type='RandomFlip'))
        >>> config = Config(dict(my_pipeline=[pack], insert_transforms=[flip],
        ...                      train_dataloader=dict(pipeline='my_pipeline')))
        >>> resolve_pipelines(config)
        >>> [step.type for step in config.train_dataloader.pipeline]
        ['RandomFlip', 'PackReIDInputs']
    """
    pipelines = {
        key: value
        for key, value in config.items()
        if key.endswith('pipeline') and isinstance(value, list)
    }
    references = list(_find_references(config))
    for place, holder in references:
        if holder['pipeline'] not in pipelines:
            raise ValueError(
                f'{place}: {_describe_unknown(holder["pipeline"], pipelines)}'
            )
    used = {holder['pipeline'] for _, holder in references}
    insertions = config.pop(INSERTIONS, None) or []
    if not isinstance(insertions, list):
        raise ValueError(f'{INSERTIONS}: expected a list of dicts, got {insertions!r}.')
    for index, insertion in enumerate(insertions):
        name = _insert(f'{INSERTIONS}.{index}', insertion, pipelines, used)
        config[name] = pipelines[name]
    for _, holder in references:
        holder['pipeline'] = deepcopy(pipelines[holder['pipeline']])


def transform_name(step: Any) -> Any:  # noqa: ANN401
    """Return the name of the class that a step of a pipeline is built from.

    Example:
        >>> transform_name(dict(type='hplreid.LoadImage'))
        'LoadImage'
    """
    kind = step.get('type') if isinstance(step, dict) else None
    return kind.rpartition('.')[2] if isinstance(kind, str) else kind


def _find_references(
    value: Any,  # noqa: ANN401
    place: str = '',
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each dict with a pipeline's name, behind the name's place in the config."""
    if isinstance(value, (dict, Config)):
        if isinstance(value.get('pipeline'), str):
            yield f'{place}pipeline', value
        children: Any = value.items()
    elif isinstance(value, (list, tuple)):
        children = enumerate(value)
    else:
        return
    for key, child in children:
        if place or key != INSERTIONS:
            yield from _find_references(child, f'{place}{key}.')


def _insert(place: str, insertion: Any, pipelines: Pipelines, used: set[str]) -> str:  # noqa: ANN401
    """Replace a pipeline by one with a further transform; return its name."""
    sides = [side for side in ('before', 'after') if side in insertion]
    if len(sides) != 1 or {*insertion} != {'pipeline', 'transform', *sides}:
        raise ValueError(
            f"{place}: expected the keys 'pipeline', 'transform' and one of 'before' "
            f"and 'after', got {sorted(insertion)}."
        )
    name, neighbor = insertion['pipeline'], insertion[sides[0]]
    if name not in pipelines:
        raise ValueError(f'{place}: {_describe_unknown(name, pipelines)}')
    if name not in used:
        raise ValueError(
            f"{place}: nothing refers to '{name}' by name. Write pipeline='{name}' "
            'where a dataset is to have the transform.'
        )
    steps = [transform_name(step) for step in pipelines[name]]
    if steps.count(neighbor) != 1:
        raise ValueError(
            f"{place}: '{neighbor}' stands {steps.count(neighbor)} times in {name}, "
            f'expected once. It has {", ".join(map(str, steps))}.'
        )
    at = steps.index(neighbor) + (sides[0] == 'after')
    pipeline = pipelines[name]
    pipelines[name] = [*pipeline[:at], insertion['transform'], *pipeline[at:]]
    return name


def _describe_unknown(name: str, pipelines: Pipelines) -> str:
    known = ', '.join(sorted(pipelines)) or 'none'
    return (
        f"no pipeline is called '{name}'. The lists at the top of the config whose "
        f"names end in 'pipeline': {known}."
    )

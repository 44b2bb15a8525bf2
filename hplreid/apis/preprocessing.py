"""How images and captions are prepared for a model: the test pipelines of a config."""

from collections.abc import Sequence
from typing import Any

from mmengine.config import Config

from hplreid.registry import TRANSFORMS
from hplreid.utils.checkpoints.recorded_model import with_defaults
from hplreid.utils.user_error import UserError

_CACHED = 'LoadCachedImage'
_LOADS = ('LoadImage', _CACHED)


class PreprocessingError(UserError, ValueError):
    """A config doesn't say how an image or a caption becomes the input of its model."""


def without_cache(part: Any) -> Any:  # noqa: ANN401
    """Return a part of a config in which images are read from their files.

    Example:
        >>> without_cache([dict(type='LoadCachedImage', cache='c', size=(128, 64))])
        [{'type': 'LoadImage'}, {'type': 'ResizeImage', 'size': (128, 64)}]
    """
    if isinstance(part, dict):
        return {key: without_cache(value) for key, value in part.items()}
    if not isinstance(part, list | tuple):
        return part
    steps: list[Any] = []
    for step in part:
        if isinstance(step, dict) and step.get('type') == _CACHED:
            size = {k: v for k, v in step.items() if k not in ('type', 'cache')}
            steps += [dict(type='LoadImage'), dict(type='ResizeImage', **size)]
        else:
            steps.append(without_cache(step))
    return tuple(steps) if isinstance(part, tuple) else steps


def find_pipeline(config: Config, task: str) -> list[dict]:
    """Return the pipeline of the benchmark that tests a task, without a cache.

    Args:
        config: With ``test_dataloader`` and ``test_evaluator``.
        task: ``'i2i'`` or ``'t2i'``. Where no benchmark has it, the first one serves.

    Raises:
        PreprocessingError: There is no benchmark.

    Example:
        >>> loader = dict(dataset=dict(pipeline=[dict(type='LoadImage')]))
        >>> find_pipeline(Config(dict(test_dataloader=dict(a=loader))), 'i2i')
        [{'type': 'LoadImage'}]
    """
    plain = without_cache(config.to_dict())
    loaders = plain.get('test_dataloader') or {}
    evaluators = plain.get('test_evaluator') or {}
    if not loaders:
        raise PreprocessingError(
            'The config has no test_dataloader, whose pipeline says how images and '
            'captions become the input of its model.'
        )
    names = [n for n in loaders if task in _tasks_of(evaluators.get(n))]
    dataset = loaders[(names or list(loaders))[0]]['dataset']
    while 'pipeline' not in dataset and isinstance(dataset.get('dataset'), dict):
        dataset = dataset['dataset']
    pipeline = dataset.get('pipeline')
    if not isinstance(pipeline, list | tuple):
        raise PreprocessingError(
            f'test_dataloader: its dataset {dataset.get("type")} has no pipeline.'
        )
    return list(pipeline)


def build_steps(pipeline: Sequence[dict]) -> list[Any]:
    """Build the steps after the loading of an image, which is done elsewhere.

    Example:
        >>> steps = [dict(type='LoadImage'), dict(type='PackReIDInputs')]
        >>> [type(step).__name__ for step in build_steps(steps)]
        ['PackReIDInputs']
    """
    return [TRANSFORMS.build(step) for step in pipeline if step['type'] not in _LOADS]


def describe_preprocessing(config: Config) -> dict[str, Any]:
    """Return how images and captions are prepared, in values that JSON can hold.

    Returns:
        ``colors`` and ``range`` of what is resized; ``steps`` of the pipeline for each
        task, and ``mean`` and ``std`` of pixels from 0 to 1, RGB.

    Example:
        >>> loader = dict(dataset=dict(pipeline=[dict(type='LoadImage')]))
        >>> model = dict(type='ImageReID')
        >>> config = Config(dict(model=model, test_dataloader=dict(a=loader)))
        >>> described = describe_preprocessing(config)
        >>> described['colors'], described['steps']['i2i'], described['mean'][0]
        ('RGB', [{'type': 'LoadImage'}], 0.48145466)
    """
    given = config.model.get('data_preprocessor') or config.get('data_preprocessor')
    normalizer = with_defaults({'type': 'ReIDDataPreprocessor', **dict(given or {})})
    return dict(
        colors='RGB',
        range=[0, 255],
        steps={task: find_pipeline(config, task) for task in ('i2i', 't2i')},
        mean=list(normalizer['mean']),
        std=list(normalizer['std']),
    )


def _tasks_of(evaluator: Any) -> set[str]:  # noqa: ANN401
    metrics = evaluator if isinstance(evaluator, list | tuple) else [evaluator or {}]
    return {str(m.get('task')) for m in metrics if isinstance(m, dict)}

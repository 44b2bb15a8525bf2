"""Build the small parts of a config on trial: their constructors know best."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from mmengine.config import Config
from mmengine.device import get_device
from torch import nn

from hplreid.registry import (
    HOOKS,
    METRICS,
    OPTIM_WRAPPERS,
    OPTIMIZERS,
    PARAM_SCHEDULERS,
    TRANSFORMS,
)

from ..errors import BUILD_ERRORS, explain
from ..resolve import merge_config

# It opens its file when it is built
_NOT_TRIED = ('LoadCachedImage',)


def find_trial_problems(config: Config) -> list[str]:
    """Return a message for each small part that can't be built from its settings.

    Optimizers and schedules of every stage (on a made-up parameter), transforms, hooks
    and metrics are built and thrown away. Models and datasets are not.

    Example:
        >>> hook = dict(type='ProgressHook', interval=-1)
        >>> find_trial_problems(Config(dict(custom_hooks=[])))
        []
    """
    plain = config.to_dict()
    tried: dict[str, list[str]] = {}
    for place, build, part in _parts(plain):
        key = repr(part)
        if key not in tried:
            tried[key] = [f'{place}: {text}' for text in _try(build, part)]
    problems = [problem for found in tried.values() for problem in found]
    return problems + _find_optimizer_problems(plain)


def _try(build: Callable[..., Any], part: dict, **given: Any) -> Iterator[str]:  # noqa: ANN401
    try:
        build(dict(part), default_args=given)
    except BUILD_ERRORS as error:
        yield f'{part.get("type")} cannot be built: {explain(error)}'


def _parts(config: dict) -> Iterator[tuple[str, Callable[..., Any], dict]]:
    """Yield place, builder and settings of transforms, hooks and metrics."""
    for place, pipeline in _pipelines(config):
        for index, step in enumerate(pipeline):
            if isinstance(step, dict) and step.get('type') not in _NOT_TRIED:
                yield f'{place}.{index}', TRANSFORMS.build, step
    for index, hook in enumerate(config.get('custom_hooks') or []):
        yield f'custom_hooks.{index}', HOOKS.build, _without_priority(hook)
    for name, hook in (config.get('default_hooks') or {}).items():
        if hook is not None:
            yield f'default_hooks.{name}', HOOKS.build, _without_priority(hook)
    for place, metric in _metrics(config):
        yield place, METRICS.build, metric


def _metrics(config: dict) -> Iterator[tuple[str, dict]]:
    """Yield every metric, with its place."""
    for mode in ('val', 'test'):
        evaluators = config.get(f'{mode}_evaluator') or {}
        if isinstance(evaluators, list) or 'type' in evaluators:
            evaluators = {'': evaluators}
        for name, metrics in evaluators.items():
            several = metrics if isinstance(metrics, list) else [metrics]
            place = f'{mode}_evaluator.{name}'.rstrip('.')
            for metric in several:
                if metric.get('type') != 'Evaluator':
                    yield place, metric


def _without_priority(hook: dict) -> dict:
    return {k: v for k, v in hook.items() if k != 'priority'}


def _pipelines(config: dict) -> Iterator[tuple[str, list]]:
    """Yield every pipeline of the loaders, with its place."""
    stages = (config.get('train_cfg') or {}).get('stages') or {}
    loaders = {
        f'{mode}_dataloader': config.get(f'{mode}_dataloader') or {}
        for mode in ('train', 'val', 'test')
    }
    for name, stage in stages.items():
        place = f'train_cfg.stages.{name}'
        loaders[f'{place}.train_dataloader'] = stage.get('train_dataloader') or {}
        loaders[f'{place}.init_features'] = stage.get('init_features') or {}
    for place, loader in loaders.items():
        yield from _find_pipelines(place, loader)


def _find_pipelines(place: str, value: Any) -> Iterator[tuple[str, list]]:  # noqa: ANN401
    if not isinstance(value, dict):
        return
    for key, child in value.items():
        if key == 'pipeline' and isinstance(child, list):
            yield f'{place}.pipeline', child
        else:
            yield from _find_pipelines(f'{place}.{key}', child)


def _find_optimizer_problems(config: dict) -> list[str]:
    """Return why the optimizer or a schedule of a stage can't be built."""
    problems: list[str] = []
    shared = config.get('optim_wrapper') or {}
    for name, stage in ((config.get('train_cfg') or {}).get('stages') or {}).items():
        place = f'train_cfg.stages.{name}'
        wrapper = merge_config(shared, stage.get('optim_wrapper'))
        if 'optimizer' not in wrapper:
            continue  # the loop's own check says so
        options = {
            k: v
            for k, v in wrapper.items()
            if k not in ('optimizer', 'constructor', 'paramwise_cfg')
        }
        parameter = nn.Parameter(torch.zeros(1, device=get_device()))
        optimizer = dict(wrapper['optimizer'])
        found = list(_try(OPTIMIZERS.build, optimizer, params=[parameter]))
        if found:
            problems += [f'{place}.optim_wrapper.optimizer: {text}' for text in found]
            continue
        built = OPTIMIZERS.build(optimizer, default_args=dict(params=[parameter]))
        options.setdefault('type', 'OptimWrapper')
        problems += [
            f'{place}.optim_wrapper: {text}'
            for text in _try(OPTIM_WRAPPERS.build, options, optimizer=built)
        ]
        problems += _find_schedule_problems(place, stage, built)
    return problems


def _find_schedule_problems(
    place: str, stage: dict, optimizer: torch.optim.Optimizer
) -> list[str]:
    schedules = stage.get('param_scheduler') or []
    if isinstance(schedules, dict):
        schedules = [schedules]
    return [
        f'{place}.param_scheduler.{index}: {text}'
        for index, schedule in enumerate(schedules)
        for text in _try(
            PARAM_SCHEDULERS.build,
            schedule,
            optimizer=optimizer,
            epoch_length=1,
            end=stage.get('epochs', 1),
        )
    ]

"""Find settings that are good alone and can't be together, before anything is built."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.dist import get_world_size

from ..errors import suggest
from ..resolve import merge_config
from ..schema.classes import find_class
from ..schema.signatures import read_signature

_TRAINING = ('train_cfg', 'train_dataloader', 'optim_wrapper')
# What MMEngine's backends import: (packages of which one is enough, what to install)
_PACKAGES = {
    'TensorboardVisBackend': (('tensorboard', 'tensorboardX'), 'tensorboard'),
    'WandbVisBackend': (('wandb',), 'wandb'),
    'MLflowVisBackend': (('mlflow',), 'mlflow'),
    'ClearMLVisBackend': (('clearml',), 'clearml'),
    'NeptuneVisBackend': (('neptune',), 'neptune'),
    'DVCLiveVisBackend': (('dvclive',), 'dvclive'),
    'AimVisBackend': (('aim',), 'aim'),
}


def find_conflicts(config: Config) -> list[str]:
    """Return one message for each contradiction between settings.

    Looked at are the parts that a training needs, work folder, names of stages and of
    benchmarks, batch sizes of loaders, samplers and processes, and the packages of
    visualization backends.

    Example:
        >>> find_conflicts(Config(dict(train_cfg=dict(by_epoch=True))))[0]
        'train_cfg is set, but not train_dataloader, optim_wrapper: a training ...'
    """
    plain = config.to_dict()
    return [
        *_find_missing_parts(plain),
        *_find_folder_problem(plain.get('work_dir')),
        *_find_stage_problems(plain),
        *_find_batch_problems(plain),
        *_find_benchmark_problems(plain),
        *_find_missing_packages(plain),
    ]


def _find_missing_parts(config: dict[str, Any]) -> Iterator[str]:
    absent = [key for key in _TRAINING if config.get(key) is None]
    present = [key for key in _TRAINING if key not in absent]
    if 'train_cfg' in present and absent:
        yield (
            f'train_cfg is set, but not {", ".join(absent)}: a training needs '
            f'{", ".join(_TRAINING)}.'
        )
    if 'train_cfg' in present and not config.get('model'):
        yield 'model: there is none. A training needs one.'


def _find_folder_problem(folder: Any) -> Iterator[str]:  # noqa: ANN401
    if not isinstance(folder, str):
        return
    path = Path(folder).expanduser()
    for part in (path, *path.parents):
        if part.exists():
            if not part.is_dir():
                yield f"work_dir='{folder}': '{part}' is a file. Choose another folder."
            return


def _find_stage_problems(config: dict[str, Any]) -> Iterator[str]:
    """Compare the stages of training with those that the model has heads for."""
    train_cfg, model = config.get('train_cfg') or {}, config.get('model') or {}
    stages, heads = train_cfg.get('stages'), model.get('heads')
    if not isinstance(stages, dict) or not isinstance(heads, dict):
        return
    for name in heads.keys() - stages.keys():
        yield (
            f'model.heads.{name}: train_cfg.stages has no such stage.'
            f'{suggest(name, stages)} It has {sorted(stages)}.'
        )
    for name in stages.keys() - heads.keys():
        yield (
            f'train_cfg.stages.{name}: model.heads has no heads for it.'
            f'{suggest(name, heads)} It has {sorted(heads)}.'
        )


def _find_batch_problems(config: dict[str, Any]) -> Iterator[str]:
    shared = config.get('train_dataloader')
    if not isinstance(shared, dict):
        return
    stages = (config.get('train_cfg') or {}).get('stages') or {'': {}}
    for name, stage in stages.items():
        place = f"train_dataloader of stage '{name}'" if name else 'train_dataloader'
        loader = merge_config(shared, stage.get('train_dataloader'))
        total, sampler = loader.get('batch_size'), loader.get('sampler')
        if not isinstance(total, int) or not isinstance(sampler, dict):
            continue
        world = get_world_size()
        if total % world:
            yield (
                f'{place}: batch_size={total} is the batch of all processes together '
                f'and is not a multiple of their number, {world}.'
            )
        problem = _find_sampler_problem(total, sampler)
        if problem:
            yield f'{place}: {problem}'


def _find_sampler_problem(total: int, sampler: dict[str, Any]) -> str | None:
    """Return why a sampler doesn't make batches of ``total`` items."""
    cls = find_class(sampler.get('type'))
    if cls is None:
        return None
    values = {**read_signature(cls).defaults, **sampler}
    number = {
        key: value
        for key in ('batch_size', 'num_pairs', 'num_ids', 'num_instances')
        if isinstance(value := values.get(key), int)
    }
    name = cls.__name__
    if {'num_pairs', 'num_ids', 'num_instances'} <= number.keys():
        made = number['num_pairs'] + number['num_ids'] * number['num_instances']
        parts = (
            f'num_pairs + num_ids x num_instances = {number["num_pairs"]} + '
            f'{number["num_ids"]} x {number["num_instances"]} = {made}'
        )
    elif 'batch_size' in number:
        made = number['batch_size']
        parts = f'sampler.batch_size={made}'
        instances = number.get('num_instances', 1)
        if instances < 1 or made % instances:
            return (
                f'{name} has batch_size={made}, which is not a multiple of '
                f'num_instances={instances}.'
            )
    else:
        return None
    if made == total:
        return None
    return f'{name} makes batches of another size ({parts}) than batch_size={total}.'


def _find_benchmark_problems(config: dict[str, Any]) -> Iterator[str]:
    """Compare the names of benchmarks in loaders and evaluators."""
    for mode in ('val', 'test'):
        loop = (config.get(f'{mode}_cfg') or {}).get('type')
        loaders = config.get(f'{mode}_dataloader')
        evaluators = config.get(f'{mode}_evaluator')
        if loop not in ('BenchmarkLoop', 'BenchmarkValLoop') or loaders is None:
            continue
        if 'dataset' in loaders or not isinstance(evaluators, dict):
            continue  # the loop says what it expects
        for name in loaders.keys() ^ evaluators.keys():
            own, other = f'{mode}_dataloader', f'{mode}_evaluator'
            known = evaluators
            if name not in loaders:
                own, other, known = other, own, loaders
            yield (
                f'{own}.{name}: {other} has no such benchmark.{suggest(name, known)} '
                f'It has {sorted(known)}.'
            )


def _find_missing_packages(config: dict[str, Any]) -> Iterator[str]:
    backends = (config.get('visualizer') or {}).get('vis_backends') or []
    for index, backend in enumerate(backends if isinstance(backends, list) else ()):
        cls = find_class(backend.get('type')) if isinstance(backend, dict) else None
        for base in cls.__mro__ if cls is not None else ():
            packages, install = _PACKAGES.get(base.__name__, ((), ''))
            if packages and not any(map(find_spec, packages)):
                yield (
                    f'visualizer.vis_backends.{index}: {backend["type"]} needs a '
                    f'package that is not installed: pip install {install}'
                )

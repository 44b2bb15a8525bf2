"""One stage of training: what it trains, with which optimizer, schedule and data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mmengine.optim import OptimWrapper
from torch import nn

from hplreid.registry import PARAM_SCHEDULERS

from ..config.resolve import merge_config

_BATCH_NORMS = nn.BatchNorm1d, nn.BatchNorm2d, nn.SyncBatchNorm
_KEYS = {
    'epochs',
    'trainable',
    'optim_wrapper',
    'param_scheduler',
    'train_dataloader',
    'cache_features',
    'init_features',
}


@dataclass(frozen=True)
class Stage:
    """A stage, with everything it shares with the others merged in.

    Attributes:
        name: What the model knows it by.
        epochs: Its length.
        trainable: Prefixes of the names of the parameters that it trains.
        optim_wrapper: Config of its optimizer and the wrapper around it.
        param_scheduler: Configs of its schedules; 0 is the start of the stage.
        dataloader: Config of its loader, with the global batch.
        cache_features: Features of images that are computed once, when the stage
            begins, and trained on in the images' place: what makes them must be
            frozen, and the pipeline without chance. Empty for none.
        init_features: What is computed of the training set before the first step,
            and given to the model: ``names`` of features, the ``pipeline`` that makes
            the data, and optionally the folder ``cache`` to keep them in. None for
            nothing.
    """

    name: str
    epochs: int
    trainable: tuple[str, ...]
    optim_wrapper: dict[str, Any]
    param_scheduler: list[dict[str, Any]] = field(default_factory=list)
    dataloader: dict[str, Any] = field(default_factory=dict)
    cache_features: tuple[str, ...] = ()
    init_features: dict[str, Any] | None = None


def find_stage_problems(name: str, config: dict) -> list[str]:
    """Say what is wrong with the config of a stage, a message each."""
    problems = [
        f"stage '{name}' has no '{key}'"
        for key in ('epochs', 'trainable')
        if not config.get(key)
    ]
    problems += [
        f"stage '{name}' has an unknown key '{key}': expected {sorted(_KEYS)}"
        for key in sorted(config.keys() - _KEYS)
    ]
    epochs = config.get('epochs', 1)
    if not isinstance(epochs, int) or epochs < 1:
        problems.append(f"stage '{name}' has epochs={epochs!r}: expected 1 or more")
    for key in ('trainable', 'cache_features'):
        if isinstance(config.get(key), str):
            problems.append(f"stage '{name}': {key} is a list of names")
    return problems + _find_init_problems(name, config.get('init_features'))


def _find_init_problems(name: str, options: Any) -> list[str]:  # noqa: ANN401
    """Say what is wrong with the ``init_features`` of a stage."""
    if options is None:
        return []
    if isinstance(options, Mapping):
        keys, names = set(options), options.get('names')
        known = {'names', 'pipeline'} <= keys <= {'names', 'pipeline', 'cache'}
        if known and names and not isinstance(names, str):
            return []
    return [
        f"stage '{name}': init_features={options!r}, expected dict(names=[...], "
        "pipeline=[...]), with a folder 'cache' or without"
    ]


def parse_stages(
    configs: Mapping[str, dict], shared_optim: dict, shared_loader: dict
) -> list[Stage]:
    """Read the stages of a config.

    Args:
        configs: One dict a stage, by the stage's name, in the order of training.
        shared_optim: The config's top-level ``optim_wrapper``.
        shared_loader: The config's top-level ``train_dataloader``.

    Raises:
        ValueError: There is no stage, or one lacks something.
    """
    if not isinstance(configs, Mapping) or not configs:
        raise ValueError(
            f'train_cfg.stages={configs!r}: expected a dict of stages by name, '
            'dict(construct=dict(epochs=10, ...), align=dict(...)).'
        )
    problems = [p for n, c in configs.items() for p in find_stage_problems(n, c)]
    if problems:
        raise ValueError('train_cfg.stages: ' + '; '.join(problems))
    stages = []
    for name, config in configs.items():
        optim = merge_config(shared_optim, config.get('optim_wrapper'))
        if 'optimizer' not in optim:
            raise ValueError(
                f"Stage '{name}' has no optimizer, neither in its "
                'optim_wrapper nor in the top-level one.'
            )
        schedule = config.get('param_scheduler') or []
        stages.append(
            Stage(
                name=name,
                epochs=config['epochs'],
                trainable=tuple(config['trainable']),
                optim_wrapper=optim,
                param_scheduler=[schedule] if isinstance(schedule, dict) else schedule,
                dataloader=merge_config(shared_loader, config.get('train_dataloader')),
                cache_features=tuple(config.get('cache_features') or ()),
                init_features=config.get('init_features'),
            )
        )
    return stages


def set_trainable(model: nn.Module, prefixes: Sequence[str]) -> int:
    """Let the parameters under ``prefixes`` be trained and freeze all others.

    Args:
        model: The model, not wrapped.
        prefixes: Names of parameters or modules. A module may have no parameters (a
            head that only computes), but it must exist.

    Returns:
        How many numbers are trained.

    Raises:
        ValueError: A prefix names nothing, or nothing at all is trained.
    """
    modules = {name for name, _ in model.named_modules()}
    parameters = dict(model.named_parameters())
    unknown = [p for p in prefixes if p not in modules and p not in parameters]
    if unknown:
        top = sorted({*(n for n, _ in model.named_children())} | parameters.keys())
        top = sorted({name.split('.')[0] for name in top})
        raise ValueError(
            f'trainable={unknown}: {type(model).__name__} has no such part. '
            f'At the top it has: {", ".join(top)}.'
        )
    trained = 0
    for name, parameter in parameters.items():
        trains = any(name == p or name.startswith(f'{p}.') for p in prefixes)
        parameter.requires_grad_(trains)
        parameter.grad = None
        trained += trains * parameter.numel()
    if not trained:
        raise ValueError(
            f'trainable={list(prefixes)}: these parts of {type(model).__name__} have '
            'no parameter between them.'
        )
    return trained


def set_train_mode(model: nn.Module) -> None:
    """Put a model in training mode, batch norms that are frozen excepted.

    What a stage doesn't train gives what it will give at test, and its running
    statistics stay.
    """
    model.train()
    for module in model.modules():
        own = list(module.parameters(recurse=False))
        frozen = own and not any(p.requires_grad for p in own)
        if frozen and isinstance(module, _BATCH_NORMS):
            module.eval()


def build_schedulers(stage: Stage, optim_wrapper: OptimWrapper, steps: int) -> list:
    """Build the schedules of a stage.

    Args:
        stage: The stage, whose first epoch is epoch 0 to its schedules.
        optim_wrapper: What they schedule.
        steps: Iterations of an epoch, for those with ``convert_to_iter_based``.
    """
    schedulers = []
    for config in stage.param_scheduler:
        by_epoch = config.get('by_epoch', True)
        defaults = dict(
            optimizer=optim_wrapper,
            epoch_length=steps,
            end=stage.epochs if by_epoch else stage.epochs * steps,
        )
        schedulers.append(PARAM_SCHEDULERS.build(dict(config), default_args=defaults))
    return schedulers

"""A stage of training: its parameters, optimizer, schedule and dataloader."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mmengine.optim import OptimWrapper
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from hplreid.registry import PARAM_SCHEDULERS

from ..config.resolve import merge_config

BATCH_NORMS = _BatchNorm  # of any number of dimensions, synchronized or not
_KEYS = {
    'epochs',
    'trainable',
    'optim_wrapper',
    'param_scheduler',
    'train_dataloader',
    'cache_features',
    'init_features',
    'micro_batch_size',
}


@dataclass(frozen=True)
class Stage:
    """The config of a stage, merged with what all stages share.

    Attributes:
        name: The name by which the model knows it.
        epochs: Its number of epochs.
        trainable: Prefixes of the names of the parameters that it trains.
        optim_wrapper: Config of its optimizer and of the wrapper around it.
        param_scheduler: Configs of its schedules, which count from the start of the
            stage.
        dataloader: Config of its dataloader; ``batch_size`` is the global one.
        cache_features: Names of image features that are computed once, when the stage
            begins, and used in place of images. The parts that compute them must be
            frozen, and the pipeline should have no random transforms. Empty for none.
        init_features: Features of the training set that are computed before the first
            step and passed to the model: their ``names``, the ``pipeline`` that makes
            the items, and optionally the folder ``cache`` in which to save them. None
            for none.
        micro_batch_size: Items of a process that towers and prompts are given at once,
            see :func:`.train_step_in_sub_batches`; losses see the whole batch. None for
            all.
    """

    name: str
    epochs: int
    trainable: tuple[str, ...]
    optim_wrapper: dict[str, Any]
    param_scheduler: list[dict[str, Any]] = field(default_factory=list)
    dataloader: dict[str, Any] = field(default_factory=dict)
    cache_features: tuple[str, ...] = ()
    init_features: dict[str, Any] | None = None
    micro_batch_size: int | None = None


def find_stage_problems(name: str, config: dict) -> list[str]:
    """Return one message for each problem of the config of a stage."""
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
    size = config.get('micro_batch_size')
    if size is not None and (not isinstance(size, int) or size < 1):
        problems.append(
            f"stage '{name}' has micro_batch_size={size!r}: expected 1 or more, or None"
        )
    for key in ('trainable', 'cache_features'):
        if isinstance(config.get(key), str):
            problems.append(f"stage '{name}': {key} is a list of names")
    return problems + _find_init_problems(name, config.get('init_features'))


def _find_init_problems(name: str, options: Any) -> list[str]:  # noqa: ANN401
    """Return a message if the ``init_features`` of a stage are malformed."""
    if options is None:
        return []
    if isinstance(options, Mapping):
        keys, names = set(options), options.get('names')
        keys_fit = {'names', 'pipeline'} <= keys <= {'names', 'pipeline', 'cache'}
        if keys_fit and names and not isinstance(names, str):
            return []
    return [
        f"stage '{name}': init_features={options!r}, expected dict(names=[...], "
        "pipeline=[...]), with a folder 'cache' or without"
    ]


def parse_stages(
    configs: Mapping[str, dict], shared_optim: dict, shared_loader: dict
) -> list[Stage]:
    """Parse the stages of a config.

    Args:
        configs: The config of each stage by its name, in the order of training.
        shared_optim: The config's top-level ``optim_wrapper``.
        shared_loader: The config's top-level ``train_dataloader``.

    Raises:
        ValueError: There is no stage, or a config has a problem.

    Example:
        >>> align = dict(epochs=60, trainable=['image_encoder'])
        >>> shared = dict(optimizer=dict(type='Adam', lr=1e-5))
        >>> (stage,) = parse_stages(dict(align=align), shared, dict(batch_size=64))
        >>> stage.name, stage.trainable, stage.dataloader
        ('align', ('image_encoder',), {'batch_size': 64})
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
                micro_batch_size=config.get('micro_batch_size'),
            )
        )
    return stages


def set_trainable(model: nn.Module, prefixes: Sequence[str]) -> int:
    """Make the parameters under ``prefixes`` trainable and freeze all others.

    Args:
        model: The model, not wrapped.
        prefixes: Names of parameters or modules. A module must exist, but it may have
            no parameters.

    Returns:
        The number of trainable parameters, counted element by element.

    Raises:
        ValueError: A prefix names nothing, or no parameter is trainable.

    Example:
        >>> model = nn.Sequential(nn.Linear(4, 2), nn.Linear(2, 1))
        >>> set_trainable(model, ['1'])
        3
        >>> [p.requires_grad for p in model.parameters()]
        [False, False, True, True]
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
    total = 0
    for name, parameter in parameters.items():
        trainable = any(name == p or name.startswith(f'{p}.') for p in prefixes)
        parameter.requires_grad_(trainable)
        parameter.grad = None
        total += trainable * parameter.numel()
    if not total:
        raise ValueError(
            f'trainable={list(prefixes)}: these parts of {type(model).__name__} have '
            'no parameters.'
        )
    return total


def set_train_mode(model: nn.Module) -> None:
    """Set a model to training mode, except for frozen batch norms.

    In evaluation mode they keep their running statistics, and compute what they will
    compute at test.
    """
    model.train()
    for module in model.modules():
        own = list(module.parameters(recurse=False))
        frozen = own and not any(p.requires_grad for p in own)
        if frozen and isinstance(module, BATCH_NORMS):
            module.eval()


def build_schedulers(stage: Stage, optim_wrapper: OptimWrapper, steps: int) -> list:
    """Build the schedules of a stage.

    Args:
        stage: The stage; its schedules count from its first epoch, as epoch 0.
        optim_wrapper: The optimizer wrapper of the stage.
        steps: Iterations per epoch, for schedules with ``convert_to_iter_based``.
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
    if schedulers and getattr(optim_wrapper, '_accumulative_counts', 1) > 1:
        # Schedules count steps, and the first ones only add up gradients: MMEngine
        # would warn that no update came before
        schedulers[0].optimizer._global_step = 0
    return schedulers

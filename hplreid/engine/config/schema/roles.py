"""The keys at the top of a config, and what each of them is built as."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mmengine.runner import set_random_seed
from mmengine.utils.dl_utils import set_multi_processing
from torch.distributed import init_process_group
from torch.nn.utils import clip_grad_norm_, clip_grad_value_
from torch.utils.data import DataLoader

from .classes import find_class
from .signatures import read_signature

OURS = {
    'data_preparers',
    'image_cache',
    'insert_transforms',
    # Read by MMEngine's runner from the config, besides its arguments
    'activation_checkpointing',
    'compile',
    'custom_imports',
    'efficient_conv_bn_eval',
    'find_unused_parameters',
    'model_wrapper_cfg',
    'runner_type',
    'sync_bn',
}
"""Keys at the top of a config that aren't arguments of the runner."""

STAGE_KEYS = {
    'epochs': int,
    'trainable': Any,  # its own check is in words
    'optim_wrapper': dict,
    'param_scheduler': dict | list,
    'train_dataloader': dict,
    'cache_features': Any,
    'init_features': Any,
    'micro_batch_size': int | None,
}
"""Keys of a stage of :class:`.StagedTrainLoop`, with the types of their values."""


@dataclass(frozen=True)
class Role:
    """What a dict at some place of a config is built as.

    Attributes:
        default: The ``type`` of a dict that has none; None if it must have one.
        also: Keys that are taken before the class gets its arguments, with the types
            of their values.
        given: Arguments that a run passes, so that a config needs none.
        complete: Whether all other arguments without a default must be in the config.
    """

    default: str | None = None
    also: Mapping[str, Any] = field(default_factory=dict)
    given: frozenset[str] = frozenset()
    complete: bool = False


COMPONENT = Role()
NECK = Role(also={'reads': str | list})
MODEL = Role(complete=True)
DATASET = Role(complete=True)
SAMPLER = Role(given=frozenset({'dataset', 'seed'}), complete=True)
HOOK = Role(also={'priority': int | str}, complete=True)
SCHEDULER = Role(
    also={'convert_to_iter_based': bool, 'epoch_length': int},
    given=frozenset({'optimizer', 'param_name'}),
    complete=True,
)
PREPARER = Role(given=frozenset({'config'}), complete=True)
METRIC = Role(complete=True)
OPTIMIZER = Role(given=frozenset({'params'}), complete=True)
OPTIM_WRAPPER = Role(
    default='OptimWrapper',
    also={'optimizer': dict, 'constructor': str, 'paramwise_cfg': dict | None},
    given=frozenset({'optimizer'}),
)
LOOPS = {
    'train_cfg': Role(
        'EpochBasedTrainLoop', {'by_epoch': bool}, frozenset({'runner', 'dataloader'})
    ),
    'val_cfg': Role('ValLoop'),
    'test_cfg': Role('TestLoop'),
}
STAGED_LOOP = Role(given=frozenset({'runner', 'dataloader'}))
VISUALIZER = Role('Visualizer', {'name': str})
LOG_PROCESSOR = Role('LogProcessor')


def _arguments(*functions: Callable[..., Any], first: int = 0) -> dict[str, Any]:
    """Return the annotated arguments of functions, without their first ones."""
    found: dict[str, Any] = {}
    for function in functions:
        names = list(inspect.signature(function).parameters)[first:]
        annotations = read_signature(function).annotations
        found |= {n: annotations[n] for n in names if n in annotations}
    return found


LOADER_KEYS = {
    **_arguments(DataLoader.__init__, first=1),
    'dataset': dict,
    'sampler': dict,
    'batch_sampler': dict | None,
    'collate_fn': dict | str,
    'worker_init_fn': dict,
    'num_batch_per_epoch': int,
}
CLIP_KEYS = {'type': str, **_arguments(clip_grad_norm_, clip_grad_value_, first=1)}
RANDOMNESS_KEYS = {**_arguments(set_random_seed), 'seed': int | None}
ENV_KEYS = {
    'cudnn_benchmark': bool,
    'mp_cfg': dict,
    'dist_cfg': dict,
    'resource_limit': int,
}
MP_KEYS = _arguments(set_multi_processing)
DIST_KEYS = {
    **dict.fromkeys(_arguments(init_process_group), Any),
    'backend': str,
    'init_backend': str,
    'port': int | str,
    'timeout': float,
}
PARAMWISE_KEYS = {
    'custom_keys': dict,
    'bias_lr_mult': float,
    'bias_decay_mult': float,
    'norm_decay_mult': float,
    'flat_decay_mult': float,
    'dwconv_decay_mult': float,
    'dcn_offset_lr_mult': float,
    'bypass_duplicate': bool,
    'row_decay_mult': float,  # of TrainableOptimConstructor alone
}
"""What MMEngine's default constructor of optimizers reads, of its docstring."""

CUSTOM_KEY = {'lr_mult': float, 'decay_mult': float}
DEFAULT_HOOKS = (
    'runtime_info',
    'timer',
    'sampler_seed',
    'logger',
    'param_scheduler',
    'checkpoint',
)


def top_keys(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys that the top of a config may have, with their types."""
    runner = find_class(config.get('runner_type') or 'Runner')
    keys = dict(read_signature(runner).annotations) if runner else {}
    keys.pop('cfg', None)
    looser = {
        'default_hooks': dict,  # one that is None is left out
        'load_from': str | dict | None,
    }
    return {**dict.fromkeys(sorted(OURS), Any), **keys, **looser}

"""Find settings that nothing takes, and values of a wrong type, at every depth."""

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mmengine.config import Config

from hplreid.registry import SCOPE

from ..errors import suggest
from ..prepare import PREPARERS
from ..resolve import merge_config
from . import roles
from .annotations import describe, fits
from .classes import find_class
from .resolved_run import SHARED
from .roles import Role
from .signatures import Signature, read_signature

Path = tuple[str, ...]
Problem = tuple[Path, str]
"""The place of a setting, and what is wrong with it."""

_NO_DEFAULT = 'which has no default.'
_NO_TYPE = "has no 'type'."
_LACKING = (_NO_DEFAULT, _NO_TYPE)
# More than any machine can use; as many as a slip asks for would bring it down
_MOST_WORKERS = 1024
_ALWAYS = {'type', '_scope_', '_delete_'}


def find_setting_problems(config: Config, complete: bool = True) -> list[str]:
    """Return one message for each setting that nothing takes or that doesn't fit.

    Keys are compared with the signatures of what is built from them, values with its
    annotations. What stages share is checked as each stage has it. Components of
    unknown ``type`` are passed over, and so are names at the top that nothing builds.

    Args:
        config: The config.
        complete: Whether to list what lacks a setting that has no default, too. A file
            for other configs to be based on may.

    Example:
        >>> loader = dict(batch_size='many', num_wokers=2)
        >>> for problem in find_setting_problems(Config(dict(train_dataloader=loader))):
        ...     print(problem)
        train_dataloader.batch_size='many': expected int | None.
        train_dataloader.num_wokers: not a setting. Did you mean 'num_workers'? ...
    """
    plain = config.to_dict()
    found = dict.fromkeys(
        f'{".".join(_shorten(path, plain))}{text}'
        for path, text in _check_top(plain)
        if complete or not text.endswith(_LACKING)
    )
    return list(found)


def _shorten(path: Path, config: dict) -> Path:
    """Return the place in the config of a setting that a stage may only share."""
    if path[:2] != ('train_cfg', 'stages'):
        return path
    own: Any = config
    for key in path[:-1]:
        own = own.get(key) if isinstance(own, dict) else None
    last = path[-1]
    return path if isinstance(own, dict) and last in own else _share(path, config)


def _share(path: Path, config: dict) -> Path:
    shared = path[3:]
    return shared if shared and shared[0] in SHARED and shared[0] in config else path


def _check_top(config: dict[str, Any]) -> Iterator[Problem]:
    types = roles.top_keys(config)
    for key, value in config.items():
        if key not in types or value is None:
            continue
        if not fits(value, types[key]):
            yield (key,), f'={_show(value)}: expected {describe(types[key])}.'
        elif key == 'train_cfg':
            role = roles.STAGED_LOOP if 'stages' in value else roles.LOOPS[key]
            yield from _check_component((key,), value, role)
            yield from _check_stages(config)
        elif key not in ('load_from', 'custom_imports', 'compile'):
            yield from _CHECKS.get(key, _check_anything)((key,), value)


def _check_stages(config: dict[str, Any]) -> Iterator[Problem]:
    """Check each stage with what it shares with the others."""
    stages = config['train_cfg'].get('stages')
    for name, stage in stages.items() if isinstance(stages, dict) else ():
        path = ('train_cfg', 'stages', str(name))
        if not isinstance(stage, dict):
            yield path, f'={_show(stage)}: expected a dict of settings of a stage.'
            continue
        good = dict(stage)
        for p, text in _check_keys(path, stage, roles.STAGE_KEYS):
            good.pop(p[-1], None)
            yield p, text
        for key in SHARED:
            if not isinstance(config.get(key) or {}, dict):
                continue
            try:
                merged = merge_config(config.get(key) or {}, good.get(key))
            except (TypeError, KeyError) as error:
                yield (*path, key), f': {error.args[0]}'
                continue
            yield from _CHECKS[key]((*path, key), merged)
        schedule = good.get('param_scheduler') or []
        yield from _check_schedule((*path, 'param_scheduler'), schedule)
        options = good.get('init_features')
        if isinstance(options, dict):
            yield from _check_anything((*path, 'init_features'), options)


def _check_keys(
    path: Path,
    value: Any,  # noqa: ANN401
    types: Mapping[str, Any],
) -> Iterator[Problem]:
    """Check a dict that has certain keys alone."""
    if not isinstance(value, dict):
        yield path, f'={_show(value)}: expected a dict.'
        return
    for key, child in value.items():
        if key in _ALWAYS and key not in types:
            continue
        if key not in types:
            yield (*path, str(key)), _explain_key(key, types)
        elif not fits(child, types[key]):
            text = f'={_show(child)}: expected {describe(types[key])}.'
            yield (*path, str(key)), text


def _explain_key(key: Any, known: Mapping[str, Any], owner: str = '') -> str:  # noqa: ANN401
    whose = f'{owner} has no such setting.' if owner else 'not a setting.'
    return f': {whose}{suggest(key, known)} Expected one of {sorted(known)}.'


def _show(value: Any) -> str:  # noqa: ANN401
    text = repr(value)
    return text if len(text) < 80 else f'{text[:76]} ...'


def _check_component(
    path: Path,
    value: Any,  # noqa: ANN401
    role: Role = roles.COMPONENT,
) -> Iterator[Problem]:
    """Check a dict from which an object is built."""
    if not isinstance(value, dict):
        yield path, f"={_show(value)}: expected a dict with a 'type'."
        return
    kind = value.get('type', role.default)
    if kind is None:
        yield path, f'={_show(value)} {_NO_TYPE}'
        return
    cls = find_class(kind)
    if cls is None:
        return  # the check of types says so
    if not callable(cls):
        yield path, f'.type={_show(kind)}: expected the name of a class.'
        return
    signature = read_signature(cls)
    yield from _check_arguments(path, value, role, signature, cls.__name__)
    if isinstance(kind, str) and '.' in kind and not kind.startswith(SCOPE):
        return  # its parts are for the registries of that code base
    for key, child in value.items():
        if key in _PARTS:
            yield from _PARTS[key]((*path, str(key)), child)
        elif key != 'stages' and key not in role.also:
            yield from _check_anything((*path, str(key)), child)


def _check_arguments(
    path: Path, value: dict, role: Role, signature: Signature, name: str
) -> Iterator[Problem]:
    """Compare the keys and values of a dict with the arguments of its class."""
    taken = {**signature.annotations, **role.also}
    known = {k: v for k, v in taken.items() if k in role.also or k not in role.given}
    for key, child in value.items():
        place = (*path, str(key))
        if key in _ALWAYS:
            continue
        if key not in taken:
            # One that takes any names gets no slip of one that it has
            if not signature.is_open or suggest(key, known, 0.8):
                yield place, _explain_key(key, known, name)
        elif key in signature.defaults and child is signature.defaults[key]:
            continue
        elif not fits(child, taken[key]):
            yield place, f'={_show(child)}: expected {describe(taken[key])}.'
    if role.complete and not signature.is_open:
        needed = signature.annotations.keys() - signature.defaults.keys()
        for key in sorted(needed - role.given - value.keys()):
            yield path, f": {name} needs '{key}', {_NO_DEFAULT}"


def _check_anything(path: Path, value: Any) -> Iterator[Problem]:  # noqa: ANN401
    """Check every component that a value holds."""
    if isinstance(value, dict) and 'type' in value:
        yield from _check_component(path, value)
        return
    if isinstance(value, dict):
        children: Any = value.items()
    elif isinstance(value, list | tuple):
        children = enumerate(value)
    else:
        return
    for key, child in children:
        yield from _PARTS.get(key, _check_anything)((*path, str(key)), child)


def _each(role: Role) -> Callable[[Path, Any], Iterator[Problem]]:
    """Return the check of a dict of a role, or of a list of them."""

    def check(path: Path, value: Any) -> Iterator[Problem]:  # noqa: ANN401
        if value is None:
            return
        if not isinstance(value, list | tuple):
            yield from _check_component(path, value, role)
            return
        for index, child in enumerate(value):
            yield from _check_component((*path, str(index)), child, role)

    return check


def _check_schedule(path: Path, value: Any) -> Iterator[Problem]:  # noqa: ANN401
    yield from _each(roles.SCHEDULER)(path, value)
    for index, child in enumerate(value if isinstance(value, list | tuple) else ()):
        gamma = child.get('gamma') if isinstance(child, dict) else None
        if isinstance(gamma, int | float) and not gamma >= 0:
            problem = f'={gamma!r}: expected a number from 0 up.'
            yield (*path, str(index), 'gamma'), problem


def _check_loader(path: Path, value: Any) -> Iterator[Problem]:  # noqa: ANN401
    yield from _check_keys(path, value, roles.LOADER_KEYS)
    if not isinstance(value, dict):
        return
    for key, least in (('batch_size', 1), ('num_workers', 0), ('prefetch_factor', 1)):
        number = value.get(key)
        if isinstance(number, int) and number < least:
            yield (*path, key), f'={number}: expected an integer from {least} up.'
    workers = value.get('num_workers')
    if isinstance(workers, int) and workers > _MOST_WORKERS:
        yield (
            (*path, 'num_workers'),
            f'={workers}: each is a process. Expected at most {_MOST_WORKERS}; this '
            f'machine has {os.cpu_count()} cores.',
        )
    parts = {'dataset': roles.DATASET, 'sampler': roles.SAMPLER}
    for key, role in parts.items():
        part = value.get(key)
        # What stages share may lack a part that each of them has
        if isinstance(part, dict) and ('type' in part or len(path) > 1):
            yield from _check_component((*path, key), part, role)
    collate = value.get('collate_fn')
    if isinstance(collate, dict):
        yield from _check_component((*path, 'collate_fn'), collate)


def _check_loaders(path: Path, value: Any) -> Iterator[Problem]:  # noqa: ANN401
    """Check the loader of MMEngine's loops, or those of several benchmarks."""
    if 'dataset' in value:
        yield from _check_loader(path, value)
        return
    for name, loader in value.items():
        yield from _check_loader((*path, str(name)), loader)


def _check_evaluators(path: Path, value: Any) -> Iterator[Problem]:  # noqa: ANN401
    if isinstance(value, list) or 'type' in value:
        yield from _each(roles.METRIC)(path, value)
        return
    for name, metrics in value.items():
        yield from _each(roles.METRIC)((*path, str(name)), metrics)


def _check_optim_wrapper(path: Path, value: Any) -> Iterator[Problem]:  # noqa: ANN401
    yield from _check_component(path, value, roles.OPTIM_WRAPPER)
    if not isinstance(value, dict):
        return
    optimizer = value.get('optimizer')
    if isinstance(optimizer, dict) and ('type' in optimizer or len(path) > 1):
        yield from _check_component((*path, 'optimizer'), optimizer, roles.OPTIMIZER)
    paramwise = value.get('paramwise_cfg')
    if isinstance(paramwise, dict) and _has_default_constructor(value):
        place = (*path, 'paramwise_cfg')
        yield from _check_keys(place, paramwise, roles.PARAMWISE_KEYS)
        yield from _check_multipliers(place, paramwise)
        custom = paramwise.get('custom_keys')
        for key, child in custom.items() if isinstance(custom, dict) else ():
            where = (*place, 'custom_keys', str(key))
            yield from _check_keys(where, child, roles.CUSTOM_KEY)
            yield from _check_multipliers(where, child)


def _check_multipliers(path: Path, value: Any) -> Iterator[Problem]:  # noqa: ANN401
    """A rate or a decay that is negative would train away from the minimum."""
    for key, factor in value.items() if isinstance(value, dict) else ():
        number = str(key).endswith('_mult') and isinstance(factor, (int, float))
        if number and not factor >= 0:
            yield (*path, str(key)), f'={factor!r}: expected a number from 0 up.'


def _has_default_constructor(wrapper: dict) -> bool:
    return wrapper.get('constructor', 'TrainableOptimConstructor') in (
        'DefaultOptimWrapperConstructor',
        'TrainableOptimConstructor',
    )


def _check_clipping(path: Path, value: Any) -> Iterator[Problem]:  # noqa: ANN401
    if value is not None:
        yield from _check_keys(path, value, roles.CLIP_KEYS)


def _check_necks(path: Path, value: Any) -> Iterator[Problem]:  # noqa: ANN401
    for name, neck in value.items() if isinstance(value, dict) else ():
        yield from _check_component((*path, str(name)), neck, roles.NECK)


def _check_default_hooks(path: Path, value: Any) -> Iterator[Problem]:  # noqa: ANN401
    for name, hook in value.items():
        place = (*path, str(name))
        close = suggest(name, roles.DEFAULT_HOOKS, 0.8)
        if name not in roles.DEFAULT_HOOKS and close:
            yield place, f': not one of the default hooks.{close}'
        elif hook is not None:
            yield from _check_component(place, hook, roles.HOOK)


def _check_env(path: Path, value: Any) -> Iterator[Problem]:  # noqa: ANN401
    yield from _check_keys(path, value, roles.ENV_KEYS)
    if isinstance(value.get('dist_cfg'), dict):
        yield from _check_keys((*path, 'dist_cfg'), value['dist_cfg'], roles.DIST_KEYS)
    if isinstance(value.get('mp_cfg'), dict):
        yield from _check_keys((*path, 'mp_cfg'), value['mp_cfg'], roles.MP_KEYS)


def _check_preparers(path: Path, value: Any) -> Iterator[Problem]:  # noqa: ANN401
    if not isinstance(value, list | tuple):
        yield path, f'={_show(value)}: expected a list of dicts.'
        return
    for index, child in enumerate(value):
        place = (*path, str(index))
        if not isinstance(child, dict) or 'type' not in child:
            yield place, f"={_show(child)}: expected a dict with a 'type'."
        elif isinstance(child['type'], str) and child['type'] in PREPARERS:
            signature = read_signature(PREPARERS[child['type']])
            name = str(child['type'])
            yield from _check_arguments(place, child, roles.PREPARER, signature, name)


def _check_text(path: Path, value: Any) -> Iterator[Problem]:  # noqa: ANN401
    if not isinstance(value, str):
        yield path, f'={_show(value)}: expected a string.'


_PARTS: dict[Any, Callable[[Path, Any], Iterator[Problem]]] = {
    'clip_grad': _check_clipping,
    'necks': _check_necks,
}
_CHECKS: dict[str, Callable[[Path, Any], Iterator[Problem]]] = {
    'model': lambda path, value: _check_component(path, value, roles.MODEL),
    'train_dataloader': _check_loader,
    'val_dataloader': _check_loaders,
    'test_dataloader': _check_loaders,
    'val_evaluator': _check_evaluators,
    'test_evaluator': _check_evaluators,
    'val_cfg': lambda p, v: _check_component(p, v, roles.LOOPS['val_cfg']),
    'test_cfg': lambda p, v: _check_component(p, v, roles.LOOPS['test_cfg']),
    'optim_wrapper': _check_optim_wrapper,
    'param_scheduler': _check_schedule,
    'default_hooks': _check_default_hooks,
    'custom_hooks': _each(roles.HOOK),
    'visualizer': lambda p, v: _check_component(p, v, roles.VISUALIZER),
    'log_processor': lambda p, v: _check_component(p, v, roles.LOG_PROCESSOR),
    'env_cfg': _check_env,
    'randomness': lambda p, v: _check_keys(p, v, roles.RANDOMNESS_KEYS),
    'model_wrapper_cfg': _check_anything,
    'data_preparers': _check_preparers,
    'image_cache': _check_text,
    'work_dir': _check_text,
}

"""What a config comes to: the settings of what is built, stage by stage."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..resolve import merge_config
from .roles import top_keys

SHARED = ('train_dataloader', 'optim_wrapper')
"""Keys at the top of a config that each stage merges its own over."""


def resolve_run(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is built by a config, with what stages share in each of them.

    Names at the top that nothing is built from are left out, and so is what no stage
    takes over. Two configs whose results are equal are the same run.

    Args:
        config: A config as a plain dict.

    Example:
        >>> stage = dict(epochs=1, optim_wrapper=dict(optimizer=dict(lr=0.1)))
        >>> run = resolve_run(dict(
        ...     optim_wrapper=dict(type='OptimWrapper', optimizer=dict(lr=9)),
        ...     train_cfg=dict(stages=dict(align=stage)), size=3,
        ... ))
        >>> list(run), run['train_cfg']['stages']['align']['optim_wrapper']
        (['train_cfg'], {'type': 'OptimWrapper', 'optimizer': {'lr': 0.1}})
    """
    known = top_keys(config)
    run = {k: v for k, v in config.items() if k in known}
    train_cfg = run.get('train_cfg')
    stages = train_cfg.get('stages') if isinstance(train_cfg, dict) else None
    if not isinstance(stages, dict) or not stages:
        return run
    shared = {key: run.pop(key) for key in SHARED if isinstance(run.get(key), dict)}
    merged = {name: _merge(shared, stage) for name, stage in stages.items()}
    run['train_cfg'] = {**train_cfg, 'stages': merged}  # type: ignore[dict-item]
    return run


def _merge(shared: dict[str, Any], stage: Any) -> Any:  # noqa: ANN401
    if not isinstance(stage, dict):
        return stage
    merged = dict(stage)
    for key, value in shared.items():
        try:
            merged[key] = merge_config(value, stage.get(key))
        except (TypeError, KeyError):  # a dict over a number: the check says so
            merged[key] = stage.get(key)
    return merged


def flatten(value: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple, Any]]:  # noqa: ANN401
    """Yield the key and the value of every setting.

    Dicts are taken apart, and so are lists that hold some.

    Example:
        >>> list(flatten(dict(a=[dict(b=(1, 2))], c=[3, 4])))
        [(('a', '0', 'b'), (1, 2)), (('c',), [3, 4])]
    """
    parts: Any = None
    if isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, list) and any(isinstance(v, dict) for v in value):
        parts = enumerate(value)
    if not parts:
        yield place, value
        return
    for key, child in parts:
        yield from flatten(child, (*place, str(key)))

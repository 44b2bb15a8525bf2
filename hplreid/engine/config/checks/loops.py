"""Check that a config validates by a loop of validation and tests by one of tests."""

from collections.abc import Iterator
from typing import Any

import mmengine.registry as root
import mmengine.runner  # noqa: F401  # fills MMEngine's registry
from mmengine.config import Config

from hplreid.registry import LOOPS

# The loop, whose hooks it calls, and its sister
_MODES = {
    'BenchmarkLoop': ('test', 'BenchmarkValLoop'),
    'BenchmarkValLoop': ('val', 'BenchmarkLoop'),
    'TestLoop': ('test', 'ValLoop'),
    'ValLoop': ('val', 'TestLoop'),
}
_WORDS = {'val': 'validation', 'test': 'tests'}


def find_loop_problems(config: Config) -> list[str]:
    """Return a message where ``val_cfg`` names a loop of tests, or the reverse.

    Such a loop calls the wrong hooks: in ``val_cfg`` scores would be printed, and no
    epoch ever selected by them.

    Example:
        >>> find_loop_problems(Config(dict(val_cfg=dict(type='BenchmarkValLoop'))))
        []
        >>> find_loop_problems(Config(dict(val_cfg=dict(type='BenchmarkLoop'))))
        ["val_cfg: 'BenchmarkLoop' is a loop of tests ... Use 'BenchmarkValLoop'."]
    """
    return list(_find_problems(config))


def _find_problems(config: Config) -> Iterator[str]:
    for mode in ('val', 'test'):
        kind = (config.get(f'{mode}_cfg') or {}).get('type')
        cls = _find_loop(kind)
        known = [
            c.__name__ for c in getattr(cls, '__mro__', ()) if c.__name__ in _MODES
        ]
        if not known or _MODES[known[0]][0] == mode:
            continue
        other, sister = _MODES[known[0]]
        name = kind if isinstance(kind, str) else known[0]
        so = (
            'no epoch would be selected (save_best) and no training stopped early '
            '(EarlyStoppingHook)'
            if mode == 'val'
            else 'no file of scores would be written'
        )
        yield (
            f"{mode}_cfg: '{name}' is a loop of {_WORDS[other]} and calls the hooks of "
            f"{_WORDS[other]}, so that {so}. Use '{sister}'."
        )


def _find_loop(kind: Any) -> Any:  # noqa: ANN401
    """Return the class of a loop by its name, None if there is none."""
    if not isinstance(kind, str):
        return kind
    LOOPS.import_from_location()
    name = kind.rpartition('.')[2]
    return LOOPS.module_dict.get(name) or root.LOOPS.module_dict.get(name)

"""Names at the top of config files: which are settings, which help to build others."""

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import suggest
from ..schema.resolved_run import flatten, resolve_run
from ..schema.roles import LOADER_KEYS, STAGE_KEYS, top_keys
from .family import ConfigFile
from .locate import locate

_CLOSE = 0.85  # the ratio of difflib; `test_loader` isn't a slip for `test_dataloader`


def find_name_problems(config: Mapping[str, Any], file: ConfigFile) -> list[str]:
    """Return a message for each name at the top that looks like a misspelled setting.

    A name that a file reads, to build others, is no setting. One that nothing reads is
    a problem where it is close to a setting, at the top or further down.

    Args:
        config: The config, as a plain dict.
        file: Its file.

    Example:
        >>> from pathlib import Path
        >>> from hplreid.engine.config.sources import read_family
        >>> _ = Path('a.py').write_text('train_cgf = dict(max_epochs=5)')
        >>> for problem in find_name_problems(dict(train_cgf={}), read_family('a.py')):
        ...     print(problem)
        train_cgf (a.py:1): not a setting ... Did you mean 'train_cfg'?
    """
    known = top_keys(config)
    deeper = {key for path, _ in flatten(resolve_run(config)) for key in path} | {
        *STAGE_KEYS,
        *LOADER_KEYS,
    }
    problems = []
    for name in find_unread_names(config, file):
        slips = [key for key in known if _is_one_slip(name, key)]
        close = suggest(name, slips or known, 0.6 if slips else _CLOSE)
        if not close and file.bases and name in deeper:
            close = f' It is a setting of other places: {_places_of(name, config)}.'
        elif not close:
            close = suggest(name, deeper - {name}, _CLOSE)
        if close:
            source = locate(file, [name])
            where = f' ({source})' if source else ''
            problems.append(
                f'{name}{where}: not a setting at the top of a config, and no file '
                f'reads it.{close}'
            )
    return problems


def find_unread_names(config: Mapping[str, Any], file: ConfigFile) -> list[str]:
    """Return the names at the top that are no settings and that no file reads."""
    known, read = top_keys(config), set(_names_read(file))
    return [name for name in config if name not in known and name not in read]


def find_idle_names(config: Mapping[str, Any], file: ConfigFile) -> list[str]:
    """Return the unread names of a file itself; bases may offer more than one needs."""
    unread = find_unread_names(config, file)
    return [name for name in unread if file.find_value(name) is not None]


def find_readers(
    config: Mapping[str, Any], file: ConfigFile, name: str
) -> Iterator[str]:
    """Yield the keys of the settings that files have made from a name at their top.

    Args:
        config: The config, as a plain dict.
        file: Its file.
        name: The name.

    Example:
        >>> from pathlib import Path
        >>> from hplreid.engine.config.sources import read_family
        >>> _ = Path('a.py').write_text('width = 8; model = dict(width=width)')
        >>> list(find_readers(dict(model=dict(width=8)), read_family('a.py'), 'width'))
        ['model.width']
    """
    known = top_keys(config)
    for key, _ in flatten({k: v for k, v in config.items() if k in known}):
        source = locate(file, key)
        if source is not None and name in source.variables:
            yield '.'.join(key)


def _is_one_slip(name: str, key: str) -> bool:
    """Return whether two words differ in one letter, or in the order of two."""
    if len(name) == len(key):
        differ = [n for n, (a, b) in enumerate(zip(name, key, strict=True)) if a != b]
        swapped = len(differ) == 2 and sorted(name) == sorted(key)
        return len(differ) == 1 or (swapped and differ[1] == differ[0] + 1)
    long, short = sorted((name, key), key=len, reverse=True)
    return any(long[:n] + long[n + 1 :] == short for n in range(len(long)))


def _places_of(name: str, config: Mapping[str, Any]) -> str:
    places = [
        '.'.join(key) for key, _ in flatten(dict(config)) if key[-1] == name != key[0]
    ]
    return ', '.join(places[:4]) + ', ...' * (len(places) > 4) or 'none of this config'


def _names_read(file: ConfigFile) -> Iterator[str]:
    """Yield the names that a file and its bases read, pipelines by name included."""
    for node in ast.walk(file.tree) if file.tree else ():
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
    for base in file.bases:
        yield from _names_read(base)

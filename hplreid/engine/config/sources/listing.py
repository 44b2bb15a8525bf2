"""List what a config comes to, each setting with the place that it comes from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..schema.resolved_run import SHARED, flatten, resolve_run
from .family import ConfigFile
from .locate import locate

COMMAND_LINE = '--cfg-options'


@dataclass(frozen=True)
class Setting:
    """A setting of what is run.

    Attributes:
        key: Its dotted key in what is run.
        value: Its value.
        origin: The file and line that set it, or the command line.
        set_as: The key under which it is set. Another than ``key`` where a stage takes
            over what all stages share.
    """

    key: str
    value: Any
    origin: str
    set_as: str


def list_settings(
    config: Mapping[str, Any], file: ConfigFile, options: Mapping[str, Any]
) -> Iterator[Setting]:
    """Yield every setting of what is run, with the place that it comes from.

    Args:
        config: The config that was read, as a plain dict.
        file: Its file.
        options: The options of the command line, by dotted key.

    Example:
        >>> from pathlib import Path
        >>> from hplreid.engine.config.sources import read_family
        >>> _ = Path('a.py').write_text('randomness = dict(seed=1)')
        >>> (setting,) = list_settings(
        ...     dict(randomness=dict(seed=1)), read_family('a.py'), {}
        ... )
        >>> setting.key, setting.value, setting.origin
        ('randomness.seed', 1, 'a.py:1')
    """
    for key, value in flatten(resolve_run(config)):
        set_as = key if _has(config, key) else _shared_key(key)
        dotted = '.'.join(set_as)
        given = any(dotted == o or dotted.startswith(f'{o}.') for o in options)
        source = None if given else locate(file, set_as)
        origin = COMMAND_LINE if given else str(source or file.path)
        yield Setting('.'.join(key), value, origin, dotted)


def _has(config: Any, key: tuple[str, ...]) -> bool:  # noqa: ANN401
    for part in key:
        if isinstance(config, dict) and part in config:
            config = config[part]
        elif isinstance(config, list) and part.isdigit() and int(part) < len(config):
            config = config[int(part)]
        else:
            return False
    return True


def _shared_key(key: tuple[str, ...]) -> tuple[str, ...]:
    """Return the key at the top of a setting that a stage takes over."""
    in_stage = key[:2] == ('train_cfg', 'stages') and key[3:4] and key[3] in SHARED
    return key[3:] if in_stage else key

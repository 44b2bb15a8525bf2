"""Read a config file as the command-line tools do."""

import os
import sys
import traceback
from pathlib import Path
from typing import Any

from mmengine.config import Config

from hplreid.registry import SCOPE

from .errors import ConfigError, explain, raise_problems
from .named_pipelines import resolve_pipelines
from .options import Options, apply_options, parse_options
from .schema.check_settings import find_setting_problems
from .schema.roles import top_keys
from .sources.family import bases_by_name, read_family
from .sources.names import find_idle_names, find_name_problems


def read_config(path: str, options: Options = None) -> Config:
    """Read a config file and apply the values of ``--cfg-options``.

    Every setting is one that something takes, with a value of a type that it takes, and
    every option changes what is run; else the config is refused. Names at the top that
    only help to build others are not in what is returned: it is what is run, and what
    is written to the work folder.

    The current folder is appended to ``sys.path``, so that ``custom_imports`` of a
    config finds the package of a project from the root of the repository. Configs that
    are installed with this package are a ``_base_`` by name, from any folder:
    ``'hplreid::hpl/hpl_vitb16_joint.py'``.

    Args:
        path: The config file.
        options: Values by dotted key, which override those of the file, or the words
            ``KEY=VALUE`` of a command line.

    Raises:
        ConfigError: A file or an option is wrong; the message says what to do.

    Example:
        >>> from pathlib import Path
        >>> _ = Path('tiny.py').write_text('train_cfg = dict(max_epochs=5)')
        >>> config = read_config('tiny.py', {'train_cfg.max_epochs': 1})
        >>> config.train_cfg.max_epochs
        1
    """
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    parsed = parse_options(options)
    file = read_family(path)
    config = _run_file(path)
    _drop_scopes(config._cfg_dict)
    # MMEngine writes the config four times at the start and into each checkpoint.
    # Formatting it with yapf takes half a second every time, and changes no value
    object.__setattr__(config, '_format_python_code', False)
    try:
        resolve_pipelines(config)  # options address the steps of the pipelines that run
    except ValueError as error:
        raise_problems(config, [str(error)])
    plain = config.to_dict()
    raise_problems(config, find_name_problems(plain, file))
    idle = find_idle_names(plain, file)
    if idle:
        print(f'{path}: nothing reads {", ".join(idle)}', file=sys.stderr)
    if parsed:
        config = apply_options(config, parsed, file)
    raise_problems(config, find_setting_problems(config, complete=False))
    for name in config.keys() - top_keys(config).keys():
        config.pop(name)
    return config


def _run_file(path: str) -> Config:
    """Return what a config file says, without its layout.

    Raises:
        ConfigError: Running it raised an error, of whatever kind.
    """
    try:
        with bases_by_name():
            return Config.fromfile(path)
    except Exception as error:
        lines = [
            f'{frame.filename}, line {frame.lineno}: '
            for frame in traceback.extract_tb(error.__traceback__)
            if frame.name == '<module>' and _is_config(frame.filename)
        ]
        raise ConfigError(
            f'{path} cannot be read: {lines[-1] if lines else ""}{explain(error)}'
        ) from error


def _is_config(filename: str) -> bool:
    return Path(filename).is_file() and 'site-packages' not in filename


def _drop_scopes(value: Any) -> None:  # noqa: ANN401
    """Remove the scopes that MMEngine writes into what a named base has.

    They say what ``default_scope`` says, and not everything takes them.
    """
    if isinstance(value, dict):
        if value.get('_scope_') == SCOPE:
            value.pop('_scope_')
        value = value.values()
    elif not isinstance(value, (list, tuple)):
        return
    for child in value:
        _drop_scopes(child)

"""Read a config file as the command-line tools do."""

import os
import sys
from typing import Any

from mmengine.config import Config
from mmengine.config.utils import MODULE2PACKAGE

from .named_pipelines import resolve_pipelines

# MMEngine reads ``_base_ = 'hplreid::hpl/...'`` of the packages that it lists alone
MODULE2PACKAGE.setdefault('hplreid', 'hplreid')


def read_config(path: str, options: dict[str, Any] | None = None) -> Config:
    """Read a config file and apply the values of ``--cfg-options``.

    The current folder is appended to ``sys.path``, so that ``custom_imports`` of a
    config finds the package of a project from the root of the repository. Configs that
    are installed with this package are a ``_base_`` by name, from any folder:
    ``'hplreid::hpl/hpl_vitb16_joint.py'``.

    Args:
        path: The config file.
        options: Values by dotted key, which override those of the file.

    Example:
        >>> from pathlib import Path
        >>> _ = Path('tiny.py').write_text('train_cfg = dict(max_epochs=5)')
        >>> config = read_config('tiny.py', {'train_cfg.max_epochs': 1})
        >>> config.train_cfg.max_epochs
        1
    """
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    config = Config.fromfile(path)
    # MMEngine writes the config four times at the start and into each checkpoint.
    # Formatting it with yapf takes half a second every time, and changes no value
    object.__setattr__(config, '_format_python_code', False)
    resolve_pipelines(config)  # options address the steps of the pipelines that run
    config.merge_from_dict(options or {})
    resolve_pipelines(config)  # pipelines that options name
    return config

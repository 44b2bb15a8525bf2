"""What a config goes through before a run: it is read, resolved, checked, prepared.

``read`` makes a config of a file (see ``sources``) and the ``options`` of the command
line, ``flags`` of its flags; ``resolve`` fills in what follows from other values;
``check`` (see ``schema`` and ``checks``) finds what would make the run fail;
``prepare`` makes datasets and image caches. Nothing here trains or scores: that is in
``loops`` and ``engine.run``.
"""

from .check import check_config, check_settings, check_types, find_problems
from .checks.benchmarks import find_benchmark_problems
from .errors import ConfigError, building
from .prepare import prepare_data
from .read import read_config
from .resolve import fill_num_ids, forget_pretrained, inference_config, merge_config

__all__ = [
    'ConfigError',
    'building',
    'check_config',
    'check_settings',
    'check_types',
    'fill_num_ids',
    'find_benchmark_problems',
    'find_problems',
    'forget_pretrained',
    'inference_config',
    'merge_config',
    'prepare_data',
    'read_config',
]

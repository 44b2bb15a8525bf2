"""What a config goes through before a run: it is read, resolved, checked, prepared.

``read`` (and ``flags``, for the flags of the command-line tools) makes a config of a
file, ``resolve`` fills in what follows from other values, ``check`` and
``check_benchmarks`` find what would make the run fail, ``prepare`` makes datasets and
image caches. Nothing here trains or scores: that is in ``loops`` and ``engine.run``.
"""

from .check import ConfigError, check_config, check_types, find_problems
from .check_benchmarks import find_benchmark_problems
from .prepare import prepare_data
from .read import read_config
from .resolve import fill_num_ids, forget_pretrained, inference_config, merge_config

__all__ = [
    'ConfigError',
    'check_config',
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

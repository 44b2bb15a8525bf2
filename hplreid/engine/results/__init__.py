"""Where results come from, and where they go without replacing others.

``fingerprints`` hashes files, weights, configs and datasets, ``provenance`` joins them
with the settings of an evaluation, ``folders`` finds room for results. No score is
computed here, and the formats of files are those of ``hplreid.evaluation.files``.
"""

from .fingerprints import hash_config, hash_dataset, hash_file, hash_weights
from .folders import (
    ResultExistsError,
    check_evaluation_folder,
    check_new_file,
    check_new_folder,
    check_training_folder,
    make_evaluation_folder,
    make_room_for_training,
)
from .provenance import describe_code

__all__ = [
    'ResultExistsError',
    'check_evaluation_folder',
    'check_new_file',
    'check_new_folder',
    'check_training_folder',
    'describe_code',
    'hash_config',
    'hash_dataset',
    'hash_file',
    'hash_weights',
    'make_evaluation_folder',
    'make_room_for_training',
]

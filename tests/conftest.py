"""Tests marked ``gpu`` are skipped where there is none: ``pytest -m gpu`` has them.

The workers of pytest-xdist share the cores: each, and what it starts, takes its part.
"""

import os

import pytest

if 'PYTEST_XDIST_WORKER_COUNT' in os.environ:  # before anything imports PyTorch
    _THREADS = (os.cpu_count() or 1) // int(os.environ['PYTEST_XDIST_WORKER_COUNT'])
    os.environ.setdefault('OMP_NUM_THREADS', str(max(1, _THREADS)))


def pytest_collection_modifyitems(items):
    marked = [item for item in items if item.get_closest_marker('gpu')]
    if not marked:
        return
    import torch

    if not torch.cuda.is_available():
        for item in marked:
            item.add_marker(pytest.mark.skip(reason='needs a GPU'))

"""Tests marked ``gpu`` are skipped where there is none: ``pytest -m gpu`` has them."""

import pytest


def pytest_collection_modifyitems(items):
    marked = [item for item in items if item.get_closest_marker('gpu')]
    if not marked:
        return
    import torch

    if not torch.cuda.is_available():
        for item in marked:
            item.add_marker(pytest.mark.skip(reason='needs a GPU'))

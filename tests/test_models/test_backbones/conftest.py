"""Architectures small enough for float64 and for compilation."""

import pytest

from tests.test_models.test_reid.tiny import add_nano_arch


@pytest.fixture(scope='session', autouse=True)
def nano_arch(tmp_path_factory):
    add_nano_arch(tmp_path_factory.mktemp('nano_arch'))

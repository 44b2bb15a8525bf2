"""Architectures small enough for float64."""

import pytest

from tests.test_models.test_reid.tiny import add_nano_arch


@pytest.fixture(autouse=True, scope='session')
def _nano(tmp_path_factory):
    add_nano_arch(tmp_path_factory.mktemp('arch'))

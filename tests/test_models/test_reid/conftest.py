"""The nano architecture for all tests of methods."""

import pytest

from .tiny import add_nano_arch


@pytest.fixture(autouse=True, scope='session')
def _nano_arch(tmp_path_factory):
    add_nano_arch(tmp_path_factory.mktemp('arch'))

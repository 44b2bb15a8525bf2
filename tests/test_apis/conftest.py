"""A tiny trained model of each method, with data to test it on."""

import pytest

from tests.test_models.test_reid.tiny import add_nano_arch

from .trained import TinyRun


@pytest.fixture(scope='session')
def tiny_runs(tmp_path_factory):
    """A function from the name of a method to a run of it."""
    folder = tmp_path_factory.mktemp('inference')
    (folder / 'archs').mkdir()
    add_nano_arch(folder / 'archs')
    runs = {}

    def get(method):
        if method not in runs:
            runs[method] = TinyRun(folder, method)
        return runs[method]

    return get

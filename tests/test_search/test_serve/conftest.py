"""One server for the tests of a worker."""

import pytest

from tests.browser import open_browser

from .served import MODEL, make_gallery, serve


@pytest.fixture(scope='session')
def gallery(tmp_path_factory):
    pytest.importorskip('qdrant_edge', reason='needs the extra `search`')
    return make_gallery(tmp_path_factory.mktemp('served'))


@pytest.fixture(scope='session')
def address(gallery):
    pytest.importorskip('nicegui', reason='needs the extra `serve`')
    with serve(gallery, '--model', MODEL[0], '--weights', MODEL[1]) as found:
        yield found


@pytest.fixture(scope='module')  # there may be one at a time in a process
def browser():
    with open_browser() as found:
        yield found

"""Galleries in a folder, and on a server that is stood in for by the client's own."""

import os
import warnings

import numpy as np
import pytest

from hplreid.search import Gallery, Item, ModelKey

pytest.importorskip('qdrant_edge', reason='galleries need the extra search')
pytest.importorskip('qdrant_client', reason='galleries need the extra search')
from hplreid.search.stores import server

SERVER = os.environ.get('HPLREID_QDRANT_URL')
"""A Qdrant server to test on instead, http://HOST:PORT."""
KEY = ModelKey('0a' * 32, '1b' * 32, dict(i2i=8, t2i=8), 'HPL')


def unit(shape, seed=0):
    """Return random features, float32, L2-normalized."""
    rows = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def features(count, seed=0):
    """Return features of items for both tasks."""
    return dict(i2i=unit((count, 8), seed), t2i=unit((count, 8), seed + 1000))


def items(count, **values):
    """Return items of three cameras, two sources, one a second."""
    return [
        Item(
            f'{n:03d}',
            camera='abc'[n % 3],
            time=float(n),
            source=('north', 'south')[n % 2],
            **values,
        )
        for n in range(count)
    ]


@pytest.fixture
def server_url(monkeypatch):
    """Address of a collection of a server."""
    if SERVER:
        url = f'{SERVER}/hplreid-test-{os.getpid()}'
        yield url
        store = server.ServerStore(url, *server._connect(url))
        store.drop()
        store.close()
        return
    from qdrant_client import QdrantClient

    client = QdrantClient(':memory:')
    monkeypatch.setattr(client, 'close', lambda: None)
    monkeypatch.setattr(server, '_connect', lambda url: (client, url.split('/')[-1]))
    monkeypatch.setattr(server, '_POLL', 0)
    with warnings.catch_warnings():  # it has no indexes, and says so
        warnings.simplefilter('ignore', UserWarning)
        yield 'http://localhost:6333/people'


@pytest.fixture(params=['embedded', 'server'])
def url(request, tmp_path):
    """Where a gallery may be made: in a folder, then on a server."""
    if request.param == 'embedded':
        return str(tmp_path / 'people')
    return request.getfixturevalue('server_url')


@pytest.fixture
def gallery(url):
    """A gallery of 60 items."""
    with Gallery.create(url, KEY) as made:
        made.add(items(60), features(60))
        yield made

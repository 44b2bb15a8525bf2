"""A server that is away, is something else, or wants a key: each in words."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from hplreid.search import DatabaseError, Gallery, GalleryError, gallery_exists

from .conftest import KEY


@pytest.fixture
def http():
    """A function that starts a server with one answer to everything."""
    servers = []

    def start(status, text):
        class Answers(BaseHTTPRequestHandler):
            asked = []

            def do_GET(self):
                Answers.asked.append(self.headers.get('api-key'))
                self.send_response(status)
                self.send_header('Content-Type', 'application/json')
                self.end_headers()
                self.wfile.write(text.encode())

            do_PUT = do_POST = do_DELETE = do_GET

            def log_message(self, *_):
                pass

        server = HTTPServer(('127.0.0.1', 0), Answers)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f'http://127.0.0.1:{server.server_port}', Answers.asked

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_server_that_is_away_is_told(http):
    url, _ = http(200, '')
    for call in (Gallery.open, gallery_exists):
        with pytest.raises(DatabaseError, match='something else.*Is it a Qdrant'):
            call(f'{url}/people')
    with pytest.raises(DatabaseError, match='does not answer.*Is it running'):
        Gallery.open('http://127.0.0.1:9/people')
    with pytest.raises(DatabaseError, match='does not answer'):
        Gallery.create('http://127.0.0.1:9/people', KEY)
    with pytest.raises(DatabaseError, match='does not answer'):
        Gallery.open('http://host.invalid/people')


def test_a_server_that_wants_a_key_is_told(http, monkeypatch):
    url, asked = http(401, '{"status": {"error": "no key"}}')
    with pytest.raises(DatabaseError, match=r'refuses: 401.*QDRANT_API_KEY'):
        Gallery.open(f'{url}/people')
    monkeypatch.setenv('QDRANT_API_KEY', 'sesame')
    with pytest.raises(DatabaseError):
        Gallery.open(f'{url}/people')
    assert asked[0] is None
    assert asked[-1] == 'sesame'


@pytest.mark.parametrize('status', [200, 404, 500])
def test_a_server_of_something_else_is_told(http, status):
    url, _ = http(status, '<html>Hello</html>')
    with pytest.raises(DatabaseError, match='Is it'):
        Gallery.open(f'{url}/people')


@pytest.mark.parametrize(
    'url',
    [
        'http://localhost:6333',
        'http://localhost:6333/',
        'http://localhost:6333/a/b',
        'http://localhost:99999/a',
        'http://localhost:6333/a?key=7',
        's3://bucket/a',
    ],
)
def test_a_strange_address_is_refused(url):
    with pytest.raises(GalleryError, match="is no gallery's address"):
        Gallery.open(url)


def test_a_password_in_an_address_is_refused_and_not_repeated():
    with pytest.raises(GalleryError, match='QDRANT_API_KEY') as caught:
        Gallery.open('http://anna:sesame@localhost:6333/people')
    assert 'sesame' not in str(caught.value)


def test_a_collection_of_something_else_is_refused(server_url):
    from hplreid.search.stores import server

    client, name = server._connect(server_url)
    client.create_collection(name, vectors_config={})
    with pytest.raises(GalleryError, match='is no gallery of hplreid'):
        Gallery.open(server_url)

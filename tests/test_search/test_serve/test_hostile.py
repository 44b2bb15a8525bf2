"""What is sent to the server by others than its page."""

import http.client
import io
import struct
import zlib
from urllib.parse import quote, urlsplit

import pytest
from PIL import Image

from hplreid.search.serve import ServeError, UploadError, decode_upload, serve
from hplreid.search.serve.uploads import MOST_BYTES, MOST_PIXELS

from .served import COUNT, MARKUP


def ask(address, path, method='GET', headers=(), **options):
    """Send a request as it is, and return status, headers and body."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    connection.putrequest(method, path, **options)
    for name, value in headers:
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    return answer.status, dict(answer.getheaders()), answer.read()


def bomb(side):
    """Return a PNG of a few bytes that says it has ``side * side`` pixels."""

    def chunk(kind, data):
        check = struct.pack('>I', zlib.crc32(kind + data))
        return struct.pack('>I', len(data)) + kind + data + check

    header = struct.pack('>IIBBBBB', side, side, 8, 2, 0, 0, 0)
    body = zlib.compress(b'\0' * 1000)
    parts = chunk(b'IHDR', header), chunk(b'IDAT', body), chunk(b'IEND', b'')
    return b'\x89PNG\r\n\x1a\n' + b''.join(parts)


@pytest.mark.parametrize('id_', [f'{MARKUP}.jpg', *(f'{n:02d}.jpg' for n in (1, 11))])
def test_images_of_the_gallery_are_served(address, id_):
    status, headers, body = ask(address, f'/image?id={quote(id_, safe="")}')
    assert status == 200
    assert headers['content-type'] == 'image/jpeg'
    assert Image.open(io.BytesIO(body)).size == (64, 128)


@pytest.mark.parametrize(
    'path',
    [
        '/image?id=unlisted.jpg',
        '/image?id=link',
        '/image?id=../secret.jpg',
        '/image?id=%2e%2e%2fsecret.jpg',
        '/image?id=/etc/passwd',
        '/image?id=%00',
        '/../../../../etc/passwd',
        '/%2e%2e/%2e%2e/etc/passwd',
        '/image/../../secret.jpg',
        '/_nicegui/../../../../etc/passwd',
        '/secret.jpg',
        '/gallery/gallery.json',
        '/docs',
        '/openapi.json',
    ],
)
def test_nothing_else_is(address, path):
    status, _, body = ask(address, path)
    assert status == 404, body
    assert b'root:' not in body
    assert b'served' not in body  # the name of the folder


@pytest.mark.parametrize(
    'path', ['/', '/_nicegui/client/x/upload/1', '/image?id=01.jpg']
)
def test_two_gigabytes_are_refused_before_they_are_sent(address, path):
    headers = [
        ('Content-Length', str(2 << 30)),
        ('Content-Type', 'multipart/form-data'),
    ]
    status, _, body = ask(address, path, 'POST', headers)
    assert status == 413
    assert b'too large' in body


def test_a_body_of_unknown_length_is_refused(address):
    status, _, body = ask(address, '/', 'POST', [('Transfer-Encoding', 'chunked')])
    assert status == 411
    assert b'state its length' in body


def test_other_pages_are_refused(address):
    status, _, body = ask(address, '/', headers=[('Origin', 'https://evil.example')])
    assert status == 403
    assert b'other pages' in body
    status, _, body = ask(
        address, '/', headers=[('Host', 'evil.example')], skip_host=True
    )
    assert status == 421
    assert b'answers to the address' in body


def test_a_socket_from_another_page_is_refused(address):
    headers = [
        ('Origin', 'https://evil.example'),
        ('Connection', 'Upgrade'),
        ('Upgrade', 'websocket'),
        ('Sec-WebSocket-Version', '13'),
        ('Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='),
    ]
    path = '/_nicegui_ws/socket.io/?EIO=4&transport=websocket'
    assert ask(address, path, headers=headers)[0] == 403
    headers[0] = ('Origin', address)
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    connection.request('GET', path, headers=dict(headers))
    assert connection.getresponse().status == 101


def test_the_browser_is_told_to_stay_here(address):
    headers = ask(address, '/')[1]
    assert "default-src 'self'" in headers['content-security-policy']
    assert headers['x-content-type-options'] == 'nosniff'


@pytest.mark.parametrize('side', [8_000, 12_000, 60_000])
def test_a_decompression_bomb_is_refused_unread(side):
    data = bomb(side)
    assert len(data) < 200
    assert side**2 > MOST_PIXELS
    with pytest.raises(
        UploadError, match=r"'b.png' has too many pixels: .* 50 million"
    ):
        decode_upload('b.png', data)


@pytest.mark.parametrize(
    ('name', 'data', 'message'),
    [
        ('a.png', b'', 'no image'),
        ('a.svg', b'<svg xmlns="http://www.w3.org/2000/svg"/>', 'no image'),
        ('a.eps', b'%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n', 'no image'),
        ('a.png', bomb(90), "can't be read"),
        ('a' * 500, b'x', r'aaa\.\.\.'),
        ('a.jpg', b'\xff' * (MOST_BYTES + 1), 'expected at most 20 MB'),
    ],
)
def test_what_is_no_image_is_refused_in_words(name, data, message):
    with pytest.raises(UploadError, match=message):
        decode_upload(name, data)


def test_a_port_that_is_taken(address):
    with pytest.raises(ServeError, match=r'Address already in use\. Give another'):
        serve(None, port=urlsplit(address).port)


def test_it_listens_on_loopback_alone(address):
    assert urlsplit(address).hostname == '127.0.0.1'


def test_the_gallery_is_as_large_as_the_tests_say(gallery):
    assert len(list((gallery.parent / 'images').glob('??.jpg'))) == COUNT

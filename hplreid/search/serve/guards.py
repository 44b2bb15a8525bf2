"""What a request may be, and what a browser may do with the answer."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_POLICY = '; '.join(
    [
        "default-src 'self'",
        "img-src 'self' data: blob:",
        "style-src 'self' 'unsafe-inline'",
        # Vue compiles the page's templates in the browser
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "connect-src 'self'",
        "font-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)
_HEADERS = (
    (b'content-security-policy', _POLICY.encode()),
    (b'x-content-type-options', b'nosniff'),
    (b'referrer-policy', b'no-referrer'),
    (b'cross-origin-resource-policy', b'same-origin'),
)


class RequestGuard:
    """Refuses requests that are too large, or come from another page.

    A body is refused by the length that its header states, before any of it is read;
    one of unknown length isn't read at all. A request from a page of another address
    (``Origin``), or to a name that isn't this server's (a name that was pointed at
    this machine), is refused, too. Answers tell the browser to fetch nothing from, and
    send nothing to, any other host.

    Args:
        app: The application.
        most_bytes: Of the body of a request.
        hosts: Names, without port, that this server answers to; None for all.
    """

    def __init__(
        self, app: App, most_bytes: int, hosts: frozenset[str] | None = None
    ) -> None:
        self.app, self.most_bytes, self.hosts = app, most_bytes, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope['type'] not in ('http', 'websocket'):
            await self.app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            await _refuse(scope, receive, send, *refusal)
            return

        async def guarded(message: MutableMapping[str, Any]) -> None:
            if message['type'] == 'http.response.start':
                message['headers'] = [*message.get('headers', ()), *_HEADERS]
            await send(message)

        await self.app(scope, receive, guarded)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = {k.lower(): v.decode('latin-1') for k, v in scope['headers']}
        host, origin = headers.get(b'host', ''), headers.get(b'origin')
        if self.hosts is not None and _name(host) not in self.hosts:
            return 421, 'This server answers to the address that it printed, alone.'
        if origin is not None and origin.split('://')[-1] != host:
            return 403, 'Requests from other pages are not answered.'
        if b'transfer-encoding' in headers:
            return 411, 'A request must state its length.'
        length = headers.get(b'content-length', '0')
        if not length.isdecimal() or int(length) > self.most_bytes:
            most = self.most_bytes >> 20
            return 413, f'This is too large: expected at most {most} MB in all.'
        return None


def _name(host: str) -> str:
    """Return a host without its port, IPv6 with its brackets."""
    return host if host.endswith(']') else host.rpartition(':')[0] or host


async def _refuse(
    scope: Scope, receive: Receive, send: Send, status: int, text: str
) -> None:
    if scope['type'] == 'websocket':
        await receive()  # the wish to connect
        await send(dict(type='websocket.close', code=1008, reason=text))
        return
    headers = [
        (b'content-type', b'text/plain; charset=utf-8'),
        (b'connection', b'close'),
    ]
    await send(
        dict(type='http.response.start', status=status, headers=[*headers, *_HEADERS])
    )
    await send(dict(type='http.response.body', body=text.encode()))

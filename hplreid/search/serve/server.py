"""The server of the page: where it listens, and what it answers."""

import asyncio
import logging
import socket
from importlib import import_module
from typing import Any

from hplreid.utils.user_error import UserError

from .desk import SearchDesk
from .guards import RequestGuard
from .uploads import MOST_BYTES

_LOCAL = ('127.0.0.1', 'localhost', '::1')
_BODY = MOST_BYTES * 2  # several images at once; larger ones are said to be


class ServeError(UserError, RuntimeError):
    """The page can't be served."""


def serve(desk: SearchDesk, host: str = '127.0.0.1', port: int = 8080) -> None:
    """Serve the page until it's interrupted.

    Args:
        desk: What answers it.
        host: Address to listen at. There are no passwords: at another address than the
            loopback's, whoever reaches it sees the gallery.
        port: Port; 0 for a free one.

    Raises:
        ServeError: NiceGUI isn't installed, or the address can't be had.

    Example:
        >>> serve(None, port=70_000)
        Traceback (most recent call last):
        ...
        hplreid...ServeError: port=70000: expected a number from 0 to 65535.
    """
    port = _check_port(host, port)
    nicegui = _import_nicegui()
    from .page import register_page  # noqa: PLC0415, needs NiceGUI

    local = host in _LOCAL
    hosts = frozenset({*_LOCAL, '[::1]'}) if local else None
    register_page(desk)
    app: Any = nicegui.app
    app.add_middleware(RequestGuard, most_bytes=_BODY, hosts=hosts)
    app.on_startup(lambda: _announce(desk, host, port, local))
    logging.getLogger('uvicorn.error').setLevel(logging.WARNING)
    nicegui.ui.run(
        host=host,
        port=port,
        title='Person search',
        language='en-US',
        dark=None,
        favicon='🔎',
        tailwind=False,
        show=False,
        reload=False,
        show_welcome_message=False,
    )


async def _announce(desk: SearchDesk, host: str, port: int, local: bool) -> None:
    """Say where the page is, once it can be opened."""
    while True:
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            break
    print(f'{desk.count} items, model: {desk.model}')
    if not local:
        print(
            'This address may be reached from other machines, and there is no '
            'password: whoever reaches it sees the gallery.'
        )
    name = f'[{host}]' if ':' in host else host
    print(f'Open http://{name}:{port} in a browser; stop with Ctrl+C.', flush=True)


def _check_port(host: str, port: int) -> int:
    """Return a port that is free.

    Raises:
        ServeError: It isn't, or the address isn't this machine's.
    """
    if not 0 <= port <= 65535:
        raise ServeError(f'port={port}: expected a number from 0 to 65535.')
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            raise ServeError(
                f"The page can't be served at {host}, port {port}: {error.strerror}. "
                'Give another --port (0 for a free one) or --host.'
            ) from None
        return int(trial.getsockname()[1])


def _import_nicegui() -> Any:  # noqa: ANN401
    try:
        return import_module('nicegui')
    except ModuleNotFoundError as error:
        if error.name != 'nicegui':
            raise
        raise ServeError(
            "The page needs NiceGUI: pip install 'hplreid[serve]'."
        ) from None

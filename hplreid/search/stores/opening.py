"""A database by its URL: a folder, or a collection of a server."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import GalleryError
from .store import MANIFEST, Store

_SERVER = re.compile(r'https?://', re.IGNORECASE)
_OTHER = re.compile(r'[a-z][a-z0-9+.-]+://', re.IGNORECASE)


def is_server(url: str) -> bool:
    """Return whether a URL names a server, not a folder.

    Example:
        >>> is_server('http://localhost:6333/people'), is_server('galleries/people')
        (True, False)
    """
    return bool(_SERVER.match(url))


def gallery_exists(url: str | Path) -> bool:
    """Return whether there is a gallery at an address.

    Raises:
        DatabaseError: The server doesn't answer.

    Example:
        >>> gallery_exists('nothing')
        False
    """
    if is_server(str(url)):
        from .server import ServerStore

        return ServerStore.exists(str(url))
    return (Path(url).expanduser() / MANIFEST).is_file()


def open_store(url: str) -> Store:
    """Open a database that is there.

    Args:
        url: A folder, or ``http://HOST:PORT/COLLECTION`` of a Qdrant server.

    Raises:
        GalleryError: There is none, or another process has it open.
        DatabaseError: It isn't installed, or the server doesn't answer.

    Example:
        >>> open_store('nothing')
        Traceback (most recent call last):
        ...
        hplreid...GalleryError: There is no gallery in 'nothing': make one with ...
    """
    if is_server(url):
        from .server import ServerStore

        return ServerStore.open(url)
    _check_folder(url)
    from .embedded import EmbeddedStore

    return EmbeddedStore.open(url)


def create_store(
    url: str, spaces: Mapping[str, int], manifest: Mapping[str, Any]
) -> Store:
    """Make a database.

    Args:
        url: See :func:`open_store`.
        spaces: Length of the vectors of each name.
        manifest: What is known of all points.

    Raises:
        GalleryError: There is one, or the folder has something else.
        DatabaseError: See :func:`open_store`.

    Example:
        >>> create_store('s3://bucket/people', {}, {})
        Traceback (most recent call last):
        ...
        hplreid...GalleryError: 's3://bucket/people' is no gallery's address: ...
    """
    if is_server(url):
        from .server import ServerStore

        return ServerStore.create(url, spaces, manifest)
    _check_folder(url)
    from .embedded import EmbeddedStore

    return EmbeddedStore.create(url, spaces, manifest)


def _check_folder(url: str) -> None:
    if _OTHER.match(url):
        raise GalleryError(
            f"'{url}' is no gallery's address: expected a folder, or "
            'http://HOST:PORT/COLLECTION of a Qdrant server.'
        )

"""A gallery on a Qdrant server: a collection, reached by ``qdrant-client``."""

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from ..errors import DatabaseError, GalleryError
from ..filters import Filters
from .store import KEYWORDS, Candidate, Point, point_id

API_KEY = 'QDRANT_API_KEY'
"""Environment variable with the server's key, if it wants one."""
_BATCH, _TIMEOUT, _SEARCH_EF = 256, 60, 256
_HNSW = dict(m=16, ef_construct=128)
_POLL, _CALM = 1.0, 3  # seconds between looks, and looks that find it at rest
_OFF = 0  # kilobytes of a segment over which it gets an index; 0 is never


class ServerStore:
    """See :class:`.Store`. The server has written each update before it returns.

    Args:
        url: ``http://HOST:PORT/COLLECTION``.
        client: Its client.
        collection: Name of the collection.
    """

    def __init__(self, url: str, client: Any, collection: str) -> None:  # noqa: ANN401
        self.url = url
        self._client, self._collection = client, collection
        self._models = _import_client().models

    @classmethod
    def create(
        cls, url: str, spaces: Mapping[str, int], manifest: Mapping[str, Any]
    ) -> 'ServerStore':
        """Make a collection."""
        store = cls(url, *_connect(url))
        store._create(spaces, manifest)
        return store

    def _create(self, spaces: Mapping[str, int], manifest: Mapping[str, Any]) -> None:
        models = self._models
        if self._exists():
            raise GalleryError(f"There is a collection in '{self.url}' already.")
        self._call(
            self._client.create_collection,
            self._collection,
            vectors_config={
                name: models.VectorParams(size=size, distance=models.Distance.DOT)
                for name, size in spaces.items()
            },
            optimizers_config=models.OptimizersConfigDiff(indexing_threshold=_OFF),
            metadata=dict(hplreid=dict(manifest)),
        )
        kinds = dict.fromkeys(KEYWORDS, models.PayloadSchemaType.KEYWORD)
        for name, kind in (*kinds.items(), ('time', models.PayloadSchemaType.FLOAT)):
            self._call(
                self._client.create_payload_index,
                self._collection,
                name,
                kind,
                wait=True,
            )

    @classmethod
    def exists(cls, url: str) -> bool:
        """Return whether there is a collection."""
        store = cls(url, *_connect(url))
        try:
            return store._exists()
        finally:
            store.close()

    def _exists(self) -> bool:
        return self._call(self._client.collection_exists, self._collection)

    @classmethod
    def open(cls, url: str) -> 'ServerStore':
        """Open a collection."""
        store = cls(url, *_connect(url))
        if not store._exists():
            raise GalleryError(
                f"There is no gallery in '{url}': make one with tools/search.py index, "
                'or Gallery.create.'
            )
        return store

    def read_manifest(self) -> dict[str, Any]:
        """See :class:`.Store`."""
        found = self._call(self._client.get_collection, self._collection)
        manifest = (found.config.metadata or {}).get('hplreid')
        if not isinstance(manifest, dict):
            raise GalleryError(
                f"The collection '{self.url}' is no gallery of hplreid: give another."
            )
        return manifest

    def write_manifest(self, manifest: Mapping[str, Any]) -> None:
        """See :class:`.Store`."""
        self._call(
            self._client.update_collection,
            self._collection,
            metadata=dict(hplreid=dict(manifest)),
        )

    def upsert(self, points: Sequence[Point]) -> None:
        """See :class:`.Store`."""
        for start in range(0, len(points), _BATCH):
            structs = [
                self._models.PointStruct(
                    id=str(point_id(p.payload['id'])),
                    vector={name: v.tolist() for name, v in p.vectors.items()},
                    payload=p.payload,
                )
                for p in points[start : start + _BATCH]
            ]
            self._call(self._client.upsert, self._collection, structs, wait=True)

    def remove(self, ids: Sequence[str]) -> None:
        """See :class:`.Store`."""
        listed = self._models.PointIdsList(points=[str(point_id(id_)) for id_ in ids])
        self._call(self._client.delete, self._collection, listed, wait=True)

    def fetch(self, ids: Sequence[str], vectors: bool = False) -> list[Point]:
        """See :class:`.Store`."""
        found = self._call(
            self._client.retrieve,
            self._collection,
            [str(point_id(id_)) for id_ in ids],
            with_payload=True,
            with_vectors=vectors,
        )
        return [_point(record) for record in found]

    def scroll(self, vectors: bool = False, size: int = 1000) -> Iterator[list[Point]]:
        """See :class:`.Store`."""
        offset = None
        while True:
            records, offset = self._call(
                self._client.scroll,
                self._collection,
                limit=size,
                offset=offset,
                with_payload=True,
                with_vectors=vectors,
            )
            yield [_point(record) for record in records]
            if offset is None:
                return

    def count(self, filters: Filters | None = None) -> int:
        """See :class:`.Store`."""
        found = self._call(
            self._client.count,
            self._collection,
            count_filter=self._filter(filters),
            exact=True,
        )
        return found.count

    def nearest(
        self,
        space: str,
        vector: np.ndarray,
        limit: int,
        filters: Filters | None = None,
        *,
        exact: bool = True,
        vectors: bool = False,
    ) -> list[Candidate]:
        """See :class:`.Store`."""
        found = self._call(
            self._client.query_points,
            self._collection,
            query=vector.tolist(),
            using=space,
            limit=limit,
            query_filter=self._filter(filters),
            search_params=self._models.SearchParams(
                exact=exact, hnsw_ef=None if exact else max(_SEARCH_EF, limit)
            ),
            with_payload=True,
            with_vectors=vectors,
        )
        return [Candidate(_point(one), float(one.score)) for one in found.points]

    def values(self, name: str) -> dict[str, int]:
        """See :class:`.Store`."""
        found = self._call(
            self._client.facet, self._collection, name, limit=10_000, exact=True
        )
        return {str(hit.value): hit.count for hit in found.hits}

    def build_index(self) -> None:
        """See :class:`.Store`. The server answers others meanwhile."""
        models = self._models
        self._call(
            self._client.update_collection,
            self._collection,
            hnsw_config=models.HnswConfigDiff(**_HNSW),
            optimizers_config=models.OptimizersConfigDiff(indexing_threshold=1000),
        )
        calm = 0
        while calm < _CALM:  # it begins a moment later
            time.sleep(_POLL)
            found = self._call(self._client.get_collection, self._collection)
            calm = calm + 1 if found.status == models.CollectionStatus.GREEN else 0

    def drop(self) -> None:
        """Remove the collection, with all that is in it."""
        self._call(self._client.delete_collection, self._collection)

    def close(self) -> None:
        """See :class:`.Store`."""
        self._client.close()

    def _filter(self, filters: Filters | None) -> Any:  # noqa: ANN401
        if not filters:
            return None
        models = self._models
        fields = (('camera', filters.cameras), ('source', filters.sources))
        conditions = [
            models.FieldCondition(key=name, match=models.MatchAny(any=list(values)))
            for name, values in fields
            if values
        ]
        if filters.start is not None or filters.end is not None:
            between = models.Range(gte=filters.start, lte=filters.end)
            conditions.append(models.FieldCondition(key='time', range=between))
        return models.Filter(must=conditions)

    def _call(self, function: Callable[..., Any], *args: Any, **options: Any) -> Any:  # noqa: ANN401
        """Call the client, whose errors are those of the server or the network."""
        exceptions = import_module('qdrant_client.http.exceptions')
        try:
            return function(*args, **options)
        except exceptions.UnexpectedResponse as error:
            raise DatabaseError(
                f"The server of '{self.url}' refuses: {error.status_code} "
                f'{error.reason_phrase}. {_advice(error.status_code)}'
            ) from None
        except (exceptions.ApiException, OSError) as error:
            raise DatabaseError(
                f"The server of '{self.url}' does not answer: {error}. Is it running, "
                'and reached from here?'
            ) from None
        except ValueError as error:  # what is no JSON, or other JSON than expected
            raise DatabaseError(
                f"The server of '{self.url}' answers with something else than "
                f'expected. {_advice(None)}'
            ) from error


def _advice(status: int | None) -> str:
    if status in (401, 403):
        return f'Give its key in the environment variable {API_KEY}.'
    return 'Is it a Qdrant server, of version 1.16 at least?'


def _connect(url: str) -> tuple[Any, str]:
    """Return a client and the name of a collection."""
    parts = urlsplit(url)
    collection = parts.path.strip('/')
    try:
        port = parts.port
    except ValueError:
        port = -1
    wrong = parts.username or parts.password or parts.query or parts.fragment
    if port == -1 or wrong or not re.fullmatch(r'[\w.-]{1,200}', collection):
        shown = f'{parts.scheme}://{parts.hostname}{parts.path}'
        raise GalleryError(
            f"'{shown}' is no gallery's address: expected http://HOST:PORT/COLLECTION, "
            f'and the key of the server in the environment variable {API_KEY}.'
        )
    client = _import_client().QdrantClient(
        url=f'{parts.scheme}://{parts.hostname}',
        port=port or (443 if parts.scheme == 'https' else 6333),
        api_key=os.environ.get(API_KEY),
        timeout=_TIMEOUT,
        check_compatibility=False,  # else a server that is away is a warning
    )
    return client, collection


def _import_client() -> Any:  # noqa: ANN401
    try:
        return import_module('qdrant_client')
    except ImportError as error:
        raise DatabaseError(
            'A gallery on a server needs qdrant-client, which is not installed: pip '
            "install 'hplreid[search]'."
        ) from error


def _point(record: Any) -> Point:  # noqa: ANN401
    vectors = record.vector or {}
    return Point(
        dict(record.payload or {}),
        {name: np.asarray(v, dtype=np.float32) for name, v in vectors.items()},
    )

"""A gallery in a folder: Qdrant's engine in this process (``qdrant-edge-py``)."""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from hplreid.utils.atomic_files import write_json

from ..errors import DatabaseError, GalleryError
from ..filters import Filters
from .folder_lock import LOCK, FolderLock
from .store import KEYWORDS, MANIFEST, Candidate, Point, point_id

_SHARD = 'shard'
_BATCH = 256
_HNSW = dict(m=16, ef_construct=128, full_scan_threshold=1000)
"""Neighbors of a node, candidates when it's built, kilobytes from which it is."""
SEARCH_EF = 256
"""Candidates of an approximate search."""


class EmbeddedStore:
    """See :class:`.Store`. The engine's log has each update before it returns.

    Args:
        folder: Has ``gallery.json``, ``shard/`` and the lock.
        shard: The open database.
        lock: Held until it's closed.
    """

    def __init__(self, folder: Path, shard: Any, lock: FolderLock) -> None:  # noqa: ANN401
        self.url = str(folder)
        self._folder, self._shard, self._lock = folder, shard, lock
        self._edge = import_edge()

    @classmethod
    def create(
        cls, url: str, spaces: Mapping[str, int], manifest: Mapping[str, Any]
    ) -> 'EmbeddedStore':
        """Make a database in a folder that is empty, or doesn't exist."""
        edge, folder = import_edge(), _folder_of(url)
        if (folder / MANIFEST).exists():
            raise GalleryError(f"There is a gallery in '{folder}' already.")
        others = {p.name for p in folder.iterdir()} if folder.is_dir() else set()
        if others - {_SHARD, LOCK}:
            raise GalleryError(
                f"'{folder}' has other files ({min(others - {_SHARD, LOCK})}): give a "
                'gallery a folder of its own.'
            )
        lock = FolderLock(folder)
        try:
            # Left by a creation that was killed: the manifest is written last
            shutil.rmtree(folder / _SHARD, ignore_errors=True)
            (folder / _SHARD).mkdir()
            config = edge.EdgeConfig(
                vectors=_vectors(edge, spaces),
                optimizers=edge.EdgeOptimizersConfig(indexing_threshold=0),
            )
            shard = edge.EdgeShard.create(str(folder / _SHARD), config)
            for name in KEYWORDS:
                _index_field(edge, shard, name, edge.PayloadSchemaType.Keyword)
            _index_field(edge, shard, 'time', edge.PayloadSchemaType.Float)
            shard.flush()
        except BaseException:
            lock.release()
            raise
        store = cls(folder, shard, lock)
        store.write_manifest(manifest)
        return store

    @classmethod
    def open(cls, url: str) -> 'EmbeddedStore':
        """Open the database in a folder."""
        folder = _folder_of(url)
        if not (folder / MANIFEST).is_file():
            raise GalleryError(
                f"There is no gallery in '{folder}': make one with tools/search.py "
                'index, or Gallery.create.'
            )
        edge, lock = import_edge(), FolderLock(folder)
        segments = folder / _SHARD / 'segments'
        if not segments.is_dir() or not any(segments.iterdir()):
            lock.release()  # the engine would begin anew with what is in its log
            raise DatabaseError(
                f"Gallery '{folder}' is damaged: '{segments}' is empty or missing. "
                'Restore the folder from a copy, or index anew.'
            )
        try:
            shard = edge.EdgeShard.load(str(folder / _SHARD))
        except Exception as error:
            lock.release()
            raise DatabaseError(
                f"Gallery '{folder}' can't be opened, its database is damaged: {error}"
            ) from None
        return cls(folder, shard, lock)

    def read_manifest(self) -> dict[str, Any]:
        """See :class:`.Store`."""
        path = self._folder / MANIFEST
        try:
            return json.loads(path.read_text(encoding='utf-8'))
        except (OSError, ValueError) as error:
            raise DatabaseError(f"'{path}' can't be read: {error}") from None

    def write_manifest(self, manifest: Mapping[str, Any]) -> None:
        """See :class:`.Store`."""
        write_json(self._folder / MANIFEST, manifest)

    def upsert(self, points: Sequence[Point]) -> None:
        """See :class:`.Store`."""
        for start in range(0, len(points), _BATCH):
            self._update(
                self._edge.UpdateOperation.upsert_points(
                    [
                        self._edge.Point(
                            point_id(p.payload['id']),
                            {n: v.tolist() for n, v in p.vectors.items()},
                            p.payload,
                        )
                        for p in points[start : start + _BATCH]
                    ]
                )
            )

    def remove(self, ids: Sequence[str]) -> None:
        """See :class:`.Store`."""
        numbers = [point_id(id_) for id_ in ids]
        self._update(self._edge.UpdateOperation.delete_points(numbers))

    def fetch(self, ids: Sequence[str], vectors: bool = False) -> list[Point]:
        """See :class:`.Store`."""
        numbers = [point_id(id_) for id_ in ids]
        found = self._open().retrieve(numbers, True, vectors)
        return [_point(record) for record in found]

    def scroll(self, vectors: bool = False, size: int = 1000) -> Iterator[list[Point]]:
        """See :class:`.Store`."""
        offset = None
        while True:
            request = self._edge.ScrollRequest(
                offset=offset, limit=size, with_payload=True, with_vector=vectors
            )
            records, offset = self._open().scroll(request)
            yield [_point(record) for record in records]
            if offset is None:
                return

    def count(self, filters: Filters | None = None) -> int:
        """See :class:`.Store`."""
        request = self._edge.CountRequest(
            exact=True, filter=_filter(self._edge, filters)
        )
        return self._open().count(request)

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
        edge = self._edge
        found = self._open().query(
            edge.QueryRequest(
                query=edge.Query.Nearest(vector.tolist(), using=space),
                limit=limit,
                filter=_filter(edge, filters),
                params=edge.SearchParams(
                    exact=exact, hnsw_ef=None if exact else max(SEARCH_EF, limit)
                ),
                with_payload=True,
                with_vector=vectors,
            )
        )
        return [Candidate(_point(one), float(one.score)) for one in found]

    def values(self, name: str) -> dict[str, int]:
        """See :class:`.Store`."""
        request = self._edge.FacetRequest(name, limit=10_000, exact=True)
        hits = self._open().facet(request).hits
        return {str(hit.value): hit.count for hit in hits}

    def build_index(self) -> None:
        """See :class:`.Store`."""
        edge, path = self._edge, str(self._folder / _SHARD)
        spaces = self.read_manifest()['model']['spaces']
        shard = self._open()
        shard.flush()
        shard.close()
        self._shard = None
        config = edge.EdgeConfig(
            vectors=_vectors(edge, spaces),
            hnsw_config=edge.HnswIndexConfig(**_HNSW),
            optimizers=edge.EdgeOptimizersConfig(indexing_threshold=1),
        )
        self._shard = edge.EdgeShard.load(path, config)
        self._shard.optimize()
        self._shard.flush()

    def close(self) -> None:
        """See :class:`.Store`."""
        if self._shard is not None:
            self._shard.flush()
            self._shard.close()
            self._shard = None
            self._lock.release()

    def _open(self) -> Any:  # noqa: ANN401
        if self._shard is None:
            raise GalleryError(f"Gallery '{self.url}' is closed: open it again.")
        return self._shard

    def _update(self, operation: Any) -> None:  # noqa: ANN401
        try:
            self._open().update(operation)
        except GalleryError:
            raise
        except Exception as error:  # a disk that is full, say
            raise DatabaseError(
                f"Gallery '{self.url}' can't be changed: {error}"
            ) from None


def import_edge() -> Any:  # noqa: ANN401
    """Return the module of the embedded database.

    Raises:
        DatabaseError: It isn't installed.
    """
    try:
        return import_module('qdrant_edge')
    except ImportError as error:
        raise DatabaseError(
            'Galleries need a database, which is not installed: pip install '
            "'hplreid[search]'."
        ) from error


def _folder_of(url: str) -> Path:
    return Path(url).expanduser()


def _vectors(edge: Any, spaces: Mapping[str, int]) -> dict[str, Any]:  # noqa: ANN401
    return {
        name: edge.EdgeVectorParams(size=size, distance=edge.Distance.Dot)
        for name, size in spaces.items()
    }


def _index_field(edge: Any, shard: Any, name: str, kind: Any) -> None:  # noqa: ANN401
    shard.update(edge.UpdateOperation.create_field_index(name, kind))


def _point(record: Any) -> Point:  # noqa: ANN401
    vectors = record.vector or {}
    return Point(
        dict(record.payload or {}),
        {name: np.asarray(v, dtype=np.float32) for name, v in vectors.items()},
    )


def _filter(edge: Any, filters: Filters | None) -> Any:  # noqa: ANN401
    if not filters:
        return None
    conditions = [
        edge.FieldCondition(name, match=edge.MatchAny(list(values)))
        for name, values in (('camera', filters.cameras), ('source', filters.sources))
        if values
    ]
    if filters.start is not None or filters.end is not None:
        between = edge.RangeFloat(gte=filters.start, lte=filters.end)
        conditions.append(edge.FieldCondition('time', range=between))
    return edge.Filter(must=conditions)
